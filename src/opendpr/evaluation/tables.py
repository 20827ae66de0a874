"""The figures of a summary as tables of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from opendpr.evaluation.figures import Figure, PairedFigure, written
from opendpr.evaluation.summary import Failures, Summary
from opendpr.wording import counted

EXAMPLES_NAMED = 3
"""Questions named for each kind of wrong answer."""

Rows = list[list[str]]


def tables(summary: Summary) -> Iterator[str]:
    """For each set of questions its heading, then its tables: figures, differences, wrong answers."""
    for name, result in summary.sets.items():
        yield f"{name}: {counted(result.questions, 'question')}; 95 % bootstrap intervals"
        rows = (_figures(result.figures), _differences(result.differences), *_failures(result.failures))
        yield from map(_aligned, filter(None, rows))


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
