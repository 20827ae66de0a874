"""The figures of a summary as tables of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from opendpr.evaluation.figures import Figure, PairedFigure, written
from opendpr.evaluation.summary import Failures, SetSummary, Summary
from opendpr.wording import counted

EXAMPLES_NAMED = 3
"""Questions named for each kind of wrong answer."""

Rows = list[list[str]]


def tables(summary: Summary) -> Iterator[str]:
    """For each set of questions its heading, then its tables: figures, differences, wrong answers."""
    for name, result in summary.sets.items():
        heading = f"{name}: {counted(result.questions, 'question')}; 95 % bootstrap intervals"
        yield "\n".join([heading, *_counts(result)])
        figures, pairs = _figures(result.figures), _differences(result.differences)
        rows = (figures, pairs, *_failures(result.failures), _given(result))
        yield from map(_aligned, filter(None, rows))


def _counts(result: SetSummary) -> Iterator[str]:
    """What the figures are over, where that is not all questions."""
    if result.unjudged:
        yield unjudged_in_words(result.unjudged)
    names: dict[str, int] = {}
    for figure in result.figures:
        names.setdefault(figure.measure.partition("@")[0], figure.questions)
    if len(set(names.values())) > 1:
        groups = {count: [name for name in names if names[name] == count] for count in names.values()}
        yield "; ".join(f"{', '.join(group)} over {counted(count, 'question')}" for count, group in groups.items())


def unjudged_in_words(count: int) -> str:
    """How many questions are in no figure, and why.

    >>> unjudged_in_words(1)
    '1 question has no answers, documents or judgements to be judged by; it was asked, and is in no figure'
    """
    has, was, are = ("has", "it was", "is") if count == 1 else ("have", "they were", "are")
    nothing = "no answers, documents or judgements to be judged by"
    return f"{counted(count, 'question')} {has} {nothing}; {was} asked, and {are} in no figure"


def _given(result: SetSummary) -> Rows:
    """How many of the questions that nothing is known to answer got an answer."""
    by_system = result.unjudged_answered
    if not by_system:
        return []
    reads = sorted({read for by_read in by_system.values() for read in by_read})
    heading = ["without answers, yet given one", *(f"{read} read" for read in reads)]
    cells = {
        system: [f"{by_read[read]:,} of {result.unjudged:,}" if read in by_read else "" for read in reads]
        for system, by_read in by_system.items()
    }
    return [heading, *([system, *row] for system, row in cells.items())]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """A line for each row, however long: programs and other terminals read it too."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(map(str.rstrip, lines))


def _figures(figures: Iterable[Figure]) -> Rows:
    return _grid("", {(figure.measure, figure.system): _interval(figure) for figure in figures})


def _differences(pairs: Iterable[PairedFigure]) -> Rows:
    cells = {(f"{pair.a} - {pair.b}", pair.measure): f"{_interval(pair, '+')} {_p(pair.value.p)}" for pair in pairs}
    return _grid("difference", cells)


def _grid(corner: str, cells: Mapping[tuple[str, str], str]) -> Rows:
    """A table with a row for each first part of the keys and a column for each second; without cells none."""
    rows, columns = (list(dict.fromkeys(key[part] for key in cells)) for part in (0, 1))
    if not cells:
        return []
    return [[corner, *columns], *([row, *(cells.get((row, column), "") for column in columns)] for row in rows)]


def _interval(figure: Figure | PairedFigure, sign: str = "") -> str:
    mean, low, high = (written(figure.measure, value, sign) for value in figure.value[:3])
    return f"{mean} ({low} to {high})"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def _failures(failures: Failures) -> Iterator[Rows]:
    for system, by_read in failures.items():
        most = list(by_read.values())[-1]
        rows = [
            [
                kind,
                *(f"{kinds[kind].count:,}" for kinds in by_read.values()),
                ", ".join(failure.examples[:EXAMPLES_NAMED]),
            ]
            for kind, failure in most.items()
        ]
        yield [[f"wrong answers of {system}", *(f"{read} read" for read in by_read), "for example"], *rows]
