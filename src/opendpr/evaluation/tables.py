"""The figures of a summary as tables of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from opendpr.evaluation.figures import written
from opendpr.wording import counted

EXAMPLES_NAMED = 3
"""Questions named for each kind of wrong answer."""

Rows = list[list[str]]


def tables(summary: Mapping[str, Any]) -> Iterator[str]:
    """For each set of questions its heading, then its tables: figures, differences, wrong answers."""
    for name, result in summary["sets"].items():
        count = result["questions"]
        yield f"{name}: {counted(count, 'question')}; 95 % bootstrap intervals"
        rows = (_figures(result["figures"]), _differences(result["differences"]), *_failures(result["failures"]))
        yield from map(_aligned, filter(None, rows))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(map(str.rstrip, lines))


def _figures(figures: Iterable[Mapping[str, Any]]) -> Rows:
    return _grid("", {(figure["measure"], figure["system"]): _interval(figure) for figure in figures})


def _differences(pairs: Iterable[Mapping[str, Any]]) -> Rows:
    cells = {
        (f"{pair['a']} - {pair['b']}", pair["measure"]): f"{_interval(pair, '+')} {_p(pair['p'])}" for pair in pairs
    }
    return _grid("difference", cells)


def _grid(corner: str, cells: Mapping[tuple[str, str], str]) -> Rows:
    """A table with a row for each first part of the keys and a column for each second; without cells none."""
    rows, columns = (list(dict.fromkeys(key[part] for key in cells)) for part in (0, 1))
    if not cells:
        return []
    return [[corner, *columns], *([row, *(cells.get((row, column), "") for column in columns)] for row in rows)]


def _interval(figure: Mapping[str, Any], sign: str = "") -> str:
    mean, low, high = (written(figure["measure"], figure[part], sign) for part in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def _failures(failures: Mapping[str, Any]) -> Iterator[Rows]:
    for system, by_depth in failures.items():
        kinds = list(next(iter(by_depth.values())))
        most = list(by_depth.values())[-1]
        rows = [
            [
                kind,
                *(f"{counts[kind]['count']:,}" for counts in by_depth.values()),
                ", ".join(most[kind]["examples"][:EXAMPLES_NAMED]),
            ]
            for kind in kinds
        ]
        yield [[f"wrong answers of {system}", *(f"{depth} read" for depth in by_depth), "for example"], *rows]
