"""What a report tells of runs: their figures, curves over all k, and examples, out of the records alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opendpr.evaluation import top_k_accuracy
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, reliability
from opendpr.evaluation.failures import KINDS
from opendpr.evaluation.page import Report, SetReport, Sureness
from opendpr.evaluation.page.charts import Line
from opendpr.evaluation.page.examples import Example, ShownPassage
from opendpr.evaluation.page.tables import RIGHT
from opendpr.evaluation.run import Record, Run, read_records, read_run
from opendpr.evaluation.statistics import Interval
from opendpr.evaluation.summary import run_labels, summary
from opendpr.text.marks import answer_places

EXAMPLES = 3
"""Of each outcome for each system: the first of the file."""
EVERY_K = 100
"""Up to here a curve has a point for every k, beyond for steps of about five per cent."""
COVERAGES = range(5, 101, 5)
"""Per cent of the questions answered: the points of a curve."""
RETRIEVED = ("an answer in the first passage", "an answer in a later passage", "no answer in the passages")
"""Outcomes where nothing was read."""


@dataclass
class _Told:
    """What is kept of the records of one set and system."""

    ranks: dict[str, list[int | None]] = field(default_factory=dict)
    """`answer`, `document` -> first rank for each question that has one to be found."""
    sure: list[tuple[float, float]] = field(default_factory=list)
    """Confidence and exact match of each answer."""
    given: list[bool] = field(default_factory=list)
    """Whether it was given, rather than "no answer found"."""
    examples: dict[str, list[Example]] = field(default_factory=dict)


def make_report(paths: Sequence[Path]) -> Report:
    """Everything that `write_page` shows of runs over the same questions.

    Raises:
        StateError: a run was interrupted, or the runs are not over the same questions.
        InputError: a file is not a run.
        UsageError: two runs have the same name.
    """
    runs = [read_run(path) for path in paths]
    found = summary(runs)
    labels = run_labels(paths)
    told: dict[str, dict[str, _Told]] = {name: {} for name in found["sets"]}
    for run, label in zip(runs, labels, strict=True):
        for name, system, one in _told(run):
            told[name][label + system] = one
    depths = {
        label + system: max([*run.header.get("k", ()), *run.header.get("read", ())], default=0)
        for run, label in zip(runs, labels, strict=True)
        for system in run.header["systems"]
    }
    sets = [_set(name, of, told[name], depths) for name, of in found["sets"].items()]
    settings = {run.path.name: _settings(run.header) for run in runs}
    title = f"{', '.join(found['sets'])} on {_names(runs, 'collection')}"
    return Report(title, _about(runs), settings, sets, found["problems"])


def _names(runs: Sequence[Run], what: str) -> str:
    return ", ".join(dict.fromkeys(str(run.header[what]["name"]) for run in runs if run.header[what]))


def _about(runs: Sequence[Run]) -> str:
    header = runs[0].header
    questions = sum(of["questions"] for of in header["sets"].values())
    systems = ", ".join(dict.fromkeys(system for run in runs for system in run.header["systems"]))
    passages = max(run.header["collection"]["passages"] for run in runs)
    models = _names(runs, "model")
    return (
        f"{questions:,} questions over {passages:,} passages, by {systems}{f' with {models}' if models else ''}. "
        "Every figure is a mean over questions, with its 95 % bootstrap interval."
    )


def _told(run: Run) -> Iterator[tuple[str, str, _Told]]:
    found: dict[tuple[str, str], _Told] = {}
    for record in read_records(run.path):
        if record["type"] == "question":
            _keep(found.setdefault((record["set"], record["system"]), _Told()), record)
    for (name, system), told in found.items():
        yield name, system, told


def _keep(told: _Told, record: Record) -> None:
    if "answer_ranks" not in record:
        return  # judged by documents
    for what, gold in (("answer", "answers"), ("document", "document_ids")):
        if record[gold]:
            told.ranks.setdefault(what, []).append(record[f"{what}_rank"])
    read = _most_read(record)
    if read and read["EM"] is not None:
        told.sure.append((read["confidence"], read["EM"]))
        told.given.append(read["answerable"])
    outcome = _outcome(record, read)
    if outcome and len(of := told.examples.setdefault(outcome, [])) < EXAMPLES:
        of.append(_example(record, read, outcome))


def _most_read(record: Record) -> Record | None:
    """What was said after the most passages."""
    read: dict[str, Record] = record["read"]
    return read[max(read, key=int)] if read else None


def _outcome(record: Record, read: Record | None) -> str | None:
    """What came of a question; None if nothing is known that it could be judged by."""
    if not record["answers"]:
        return None
    if read:
        return str(read["failure"] or RIGHT)
    rank = record["answer_rank"]
    return RETRIEVED[2 if rank is None else int(rank > 1)]


def _example(record: Record, read: Record | None, outcome: str) -> Example:
    """The passage that the answer is from and the first that holds an answer; without either the first of all."""
    chosen = read["rank"] if read else None
    ranks = sorted({rank for rank in (chosen, record["answer_rank"]) if rank} or {1})
    passages = [
        _passage(rank, record, read if rank == chosen else None) for rank in ranks if str(rank) in record["shown"]
    ]
    return Example(
        outcome,
        record["system"],
        record["question"],
        record["text"],
        record["answers"],
        read["text"] if read else None,
        read["confidence"] if read else None,
        passages,
    )


def _passage(rank: int, record: Record, read: Record | None) -> ShownPassage:
    shown = record["shown"][str(rank)]
    places = answer_places(record["answers"], shown["text"], record["match"])
    given = (read["start"] - shown["start"], read["end"] - shown["start"]) if read else None
    return ShownPassage(rank, shown["id"], shown["title"], shown["text"], places, given)


def _set(name: str, of: Mapping[str, Any], told: Mapping[str, _Told], depths: Mapping[str, int]) -> SetReport:
    intervals: dict[tuple[str, str], dict[float, Interval]] = {}
    for figure in of["figures"]:
        what, _, k = figure["measure"].partition("@")
        interval = Interval(figure["mean"], figure["low"], figure["high"])
        intervals.setdefault((figure["system"], what), {})[float(k or 0)] = interval
    curves: dict[str, list[Line]] = {}
    for system, one in told.items():
        for what, ranks in one.ranks.items():
            marks = intervals.get((system, what), {})
            values = [(float(k), top_k_accuracy(ranks, k)) for k in curve_ks(depths[system], marks)]
            curves.setdefault(what, []).append(Line(system, values, marks))
    outcomes = (RIGHT, *KINDS, *RETRIEVED)
    return SetReport(
        name,
        of["questions"],
        of["figures"],
        of["differences"],
        of["failures"],
        curves,
        [Line(system, coverage(one.sure)) for system, one in told.items() if one.sure],
        [
            Example(**{**vars(example), "system": system})
            for outcome in outcomes
            for system, one in told.items()
            for example in one.examples.get(outcome, ())
        ],
        [Line(system, *_reliability(one.sure)) for system, one in told.items() if one.sure],
        {system: _sureness(one) for system, one in told.items() if one.sure},
    )


def _reliability(sure: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], dict[float, Interval]]:
    """Points and marks of a reliability diagram, confidences in per cent."""
    confidences, right = zip(*sure, strict=True)
    bins = reliability(confidences, right)
    return [(100 * of.confidence, of.right.mean) for of in bins], {100 * of.confidence: of.right for of in bins}


def _sureness(told: _Told) -> Sureness:
    confidences, right = zip(*told.sure, strict=True)
    error, area = expected_calibration_error(confidences, right), area_under_roc(confidences, right)
    given = [match for match, given in zip(right, told.given, strict=True) if given]
    return Sureness(error, area, len(right), len(given), sum(given) / len(given) if given else math.nan)


def curve_ks(depth: int, marks: Mapping[float, Interval]) -> list[int]:
    """The k of a curve's points: every one at first, then ever fewer; those with a mark, and the last, are there."""
    ks, k = {*range(1, min(depth, EVERY_K) + 1), *map(int, marks), depth}, EVERY_K
    while k < depth:
        ks.add(k)
        k += max(1, k // 20)
    return sorted(ks)


def coverage(sure: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The exact match of the surest 5, 10, ... 100 % of the questions (rounded up); equally sure ones as they come.

    Args:
        sure: confidence and exact match of each question
    """
    matches = [match for _, match in sorted(sure, key=lambda one: -one[0])]
    counts = [-(-len(matches) * percent // 100) for percent in COVERAGES]
    return [(float(percent), sum(matches[:n]) / n) for percent, n in zip(COVERAGES, counts, strict=True)]


def _settings(header: Record) -> dict[str, str]:
    """What the figures of a run depend on, in words."""
    collection, model, runtime = header["collection"], header["model"], header["runtime"]
    weights = model["retrieval"] if model else {}
    found = {
        "collection": f"{collection['name']}, {collection['documents']:,} documents, "
        f"{collection['passages']:,} passages; {collection['id']}, version {collection['version']}",
        "model": f"{model['name']} {model['fingerprint']}" if model else "",
        "retrieval weights": ", ".join(f"{name} {value:g}" for name, value in weights.items()),
        "reader": header.get("reader", {}).get("sha256", ""),
        "systems": ", ".join(header["systems"]),
        "k": ", ".join(map(str, header.get("k", ()))),
        "passages read": ", ".join(map(str, header.get("read", ()))),
        "judgements": header.get("qrels", ""),
        "networks": ", ".join(filter(None, (runtime or {}).values())),
        "opendpr": header["opendpr"],
    }
    for name, of in header["sets"].items():
        which = f"the first {of['questions']:,}" if header["limit"] else f"all {of['questions']:,}"
        found[f"questions: {name}"] = f"{which} of {of['file']}; SHA-256 {of['sha256']}"
    return {name: value for name, value in found.items() if value}
