"""The comparisons that a report begins with: of which systems, by which measure, and on which questions they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from opendpr.evaluation.figures import Measured, PairedFigure
from opendpr.evaluation.run import Run
from opendpr.evaluation.statistics import Difference

CONTRASTED_QUESTIONS = 5
"""Questions shown that a system wins, and as many that it loses."""
HEADLINE_GROUPS = ("EM", "answer", "document", "nDCG", "AP")
"""Measures by which systems are compared, the one that counts most first."""
HEADLINE_K = 20
"""The k of a retrieval measure, if it was measured."""


Named: TypeAlias = Mapping[tuple[str, str], frozenset[str]]
"""The questions that comparisons name, by set and system."""


@dataclass(frozen=True)
class Contrast:
    """Two systems on the same questions, by one measure."""

    before: str
    after: str
    measure: str
    won: Sequence[str]
    """Ids of the questions that `after` does better, in the order of the set."""
    lost: Sequence[str]
    """Those that it does worse."""
    equal: int
    """How many it does equally well."""


def contrasts_of(name: str, runs: Sequence[Run], labels: Sequence[str]) -> list[Contrast]:
    """The comparisons that runs were made for, on one set of questions; with `labels` before the names of systems."""
    measured = {
        label + system: questions
        for run, label in zip(runs, labels, strict=True)
        for system, questions in run.measured[name].items()
    }
    pairs = asked_pairs([list(run.measured[name]) for run in runs], labels)
    return [compared for before, after in pairs if (compared := contrast(before, after, measured))]


def named_questions(contrasts: Mapping[str, Sequence[Contrast]]) -> Named:
    """The first questions that each comparison wins and loses, for both of its systems; by set."""
    ids: dict[tuple[str, str], set[str]] = {}
    for name, own in contrasts.items():
        for compared in own:
            chosen = {*compared.won[:CONTRASTED_QUESTIONS], *compared.lost[:CONTRASTED_QUESTIONS]}
            for system in (compared.before, compared.after):
                ids.setdefault((name, system), set()).update(chosen)
    return {key: frozenset(own) for key, own in ids.items()}


def asked_pairs(systems_by_run: Sequence[Sequence[str]], labels: Sequence[str]) -> list[tuple[str, str]]:
    """The comparisons that runs were made for: before and after.

    Of several runs it is each system in the first run and in a later one, or the first systems if none is in both.
    Of one run it is the first system and each other.

    >>> asked_pairs([["bm25", "hybrid"], ["hybrid"]], ["old:", "new:"]), asked_pairs([["bm25", "dense"]], [""])
    ([('old:hybrid', 'new:hybrid')], [('bm25', 'dense')])
    """
    if len(systems_by_run) == 1:
        first, *others = [labels[0] + system for system in systems_by_run[0]]
        return [(first, other) for other in others]
    first_systems, first_label = systems_by_run[0], labels[0]
    later = list(zip(systems_by_run[1:], labels[1:], strict=True))
    same = [
        (first_label + system, label + system)
        for systems, label in later
        for system in systems
        if system in first_systems
    ]
    return same or [(first_label + first_systems[0], label + systems[0]) for systems, label in later if systems]


def headline_measures(measures: Iterable[str]) -> list[str]:
    """The measures that count most, one of each group: after the most passages read, in the first 20 passages.

    >>> headline_measures(["answer@1", "answer@20", "answer@100", "EM@5", "EM@20", "F1@20"])
    ['EM@20', 'answer@20']
    """
    groups: dict[str, list[str]] = {}
    for measure in measures:
        groups.setdefault(measure.split("@")[0], []).append(measure)
    chosen = []
    for group in HEADLINE_GROUPS:
        if own := groups.get(group):
            usual = f"{group}@{HEADLINE_K}"
            chosen.append(usual if group in ("answer", "document") and usual in own else own[-1])
    return chosen


def contrast(before: str, after: str, measured: Measured) -> Contrast | None:
    """Where two systems differ by the measure that counts most; None if no question has one in both.

    Args:
        measured: the measures of each question by each system
    """
    shared = {id: values for id, values in measured[before].items() if id in measured[after]}
    names = [name for id, values in shared.items() for name in values if name in measured[after][id]]
    headline = headline_measures(dict.fromkeys(names))
    if not headline:
        return None
    measure = headline[0]
    gains = {
        id: measured[after][id][measure] - values[measure]
        for id, values in shared.items()
        if measure in values and measure in measured[after][id]
    }
    won, lost = [id for id, gain in gains.items() if gain > 0], [id for id, gain in gains.items() if gain < 0]
    return Contrast(before, after, measure, won, lost, len(gains) - len(won) - len(lost))


def after_minus_before(differences: Iterable[PairedFigure], before: str, after: str) -> list[PairedFigure]:
    """What `after` has more than `before` by each measure; `differences` list a pair in one order."""
    turned = []
    for pair in differences:
        if (pair.a, pair.b) == (after, before):
            turned.append(pair)
        elif (pair.a, pair.b) == (before, after):
            mean, low, high, p = pair.value
            value = Difference(0.0 - mean, 0.0 - high, 0.0 - low, p)  # no negative zero
            turned.append(replace(pair, a=after, b=before, value=value))
    return turned
