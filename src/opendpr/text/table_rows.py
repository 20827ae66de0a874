"""Rows of tables in a text: each says something by itself, with the names of its columns, and nothing of the others.

Tables are lines with tabs (HTML, office documents), rows of Markdown, and the blocks of `name: value; name: value` that
tables and records without a text are made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from opendpr.text.blocks import TABLE_ROW
from opendpr.text.table_header import NAME_CHARACTERS, filled, header_votes, may_name

MOST_ROWS = 60
"""A text with more is not read row by row: each row is a sequence of its own."""
MOST_COMPLETED = 500
"""Characters of a row that are added to one that is cut."""
ROW_WORDS = 80
"""A row with more is rather a layout of texts."""
SURE_COLUMNS = 3
"""A table with fewer has a header only if its values differ from it in kind."""
_NAMED = re.compile(rf"[^\s:;|][^:;|\n]{{0,{NAME_CHARACTERS}}}: \S")
_CELL = re.compile(r"(?<![^\t\n])[^\t\n]*")
_BAR = re.compile(r"(?<!\\)\|")
_NAMED_CELL = re.compile(r"(?:[^;\n]|;(?! ))+")
_RULE = re.compile(r"[\s:|-]+")
"""With a dash in it, the line below the header of a table in Markdown."""
_MARKS = " \t*_`"
"""What a name is written without."""


class Cell(NamedTuple):
    """A value in a row."""

    name: str
    """Of its column; empty if it has none."""
    start: int
    """Offset of the value in the text."""
    end: int


class Row(NamedTuple):
    """A row of a table; it ends where its line ends."""

    start: int
    end: int
    cells: tuple[Cell, ...]

    def words(self, text: str) -> str:
        """The row as `name: value; name: value`."""
        return "; ".join(named(cell, text) for cell in self.cells)


def named(cell: Cell, text: str) -> str:
    """A value behind its name."""
    value = text[cell.start : cell.end]
    return f"{cell.name}: {value}" if cell.name else value


def table_rows(text: str, names: Sequence[str] = ()) -> list[Row]:
    """The rows of all tables of a text, in order; none if they are too many.

    Args:
        names: of the columns of the table that the text begins inside
    """
    if "\t" not in text and "|" not in text and "; " not in text:
        return []
    rows: list[Row] = []
    for kind, lines in groupby(_lines(text), key=lambda line: line[0]):
        table = [Row(start, end, tuple(_cells(kind, text, start, end))) for _, start, end in lines]
        if kind and not any(_is_long(text, row) for row in table):
            rows += _with_names(kind, text, table, names if table[0].start == 0 else ())
    return rows if len(rows) <= MOST_ROWS else []


def row_at(rows: Sequence[Row], start: int, end: int) -> Row | None:
    """The row that [start, end) lies in."""
    return next((row for row in rows if row.start <= start and end <= row.end), None)


def column_names(text: str) -> tuple[str, ...]:
    """The names of the columns of the table that a text ends inside; empty if there is none with names."""
    lines = list(_lines(text.removesuffix("\n")))
    kind = lines[-1][0] if lines else ""
    first = len(lines)
    while first and lines[first - 1][0] == kind and kind in _LINE_KINDS:
        first -= 1
    table = [Row(start, end, tuple(_cells(kind, text, start, end))) for _, start, end in lines[first:]]
    return tuple(_header(kind, text, table)) if table else ()


def completed(before: str, text: str, after: str) -> tuple[str | None, str | None]:
    """What of the text before and after another completes the rows that it begins and ends with; None for no row."""
    first, last = before[before.rfind("\n") + 1 :], after.partition("\n")[0]
    lines = text.rstrip("\n").split("\n")
    beginning, ending = lines[0], lines[-1] if len(lines) > 1 else first + lines[0]
    if text.endswith("\n"):
        last = ""
    return (
        first if len(first) <= MOST_COMPLETED and _kind(first + beginning) else None,
        last if len(last) <= MOST_COMPLETED and _kind(ending + last) else None,
    )


def begins_inside(text: str) -> bool:
    """Whether a text begins with a row, so that the header of its table may lie before it."""
    return _kinds(text.split("\n", 2)[:2])[0] in _LINE_KINDS


def are_rows(lines: Sequence[str], below: Sequence[str]) -> bool:
    """Whether all lines are rows of the table that goes on in the lines below them."""
    kinds = _kinds([*lines, *below])
    return {*kinds[: len(lines)]} <= {kinds[len(lines)]}


_TABS, _BARS, _NAMES = "tabs", "bars", "names"
_LINE_KINDS = frozenset((_TABS, _BARS))
"""Tables whose names are above them."""


def _lines(text: str) -> Iterator[tuple[str, int, int]]:
    """Which kind of table each line is of, its start and its end.

    Blank lines between blocks of named values are left out, others are of none.
    """
    start, pending = 0, None
    lines = text.split("\n")
    for line, kind in zip(lines, _kinds(lines), strict=True):
        end = start + len(line)
        if not line.strip() and pending == _NAMES:
            pending = ""
        else:
            if pending == "" and kind != _NAMES:
                yield "", start, start
            yield kind, start, end
            pending = kind
        start = end + 1


def _kinds(lines: Sequence[str]) -> list[str]:
    """Which kind of table each line is of by itself, or as a row of one value and empty cells beside other rows."""
    kinds = [_kind(line) for line in lines]
    for order in (range(1, len(lines)), range(len(lines) - 2, -1, -1)):
        step = -1 if order.step > 0 else 1
        for place in order:
            if not kinds[place] and kinds[place + step] == _TABS and _has_columns(lines[place], lines[place + step]):
                kinds[place] = _TABS
    return kinds


def _has_columns(line: str, row: str) -> bool:
    """Whether a line says something and has as many cells as a row."""
    return "\t" in line and not line.isspace() and line.count("\t") == row.count("\t")


def _kind(line: str) -> str:
    if "\t" in line.strip():
        return _TABS
    if TABLE_ROW.fullmatch(line):
        return _BARS
    parts = line.split("; ")
    return _NAMES if len(parts) > 1 and 2 * sum(map(bool, map(_NAMED.match, parts))) > len(parts) else ""


def _cells(kind: str, text: str, start: int, end: int) -> Iterator[Cell]:
    """The values of a line, empty ones too; of a line of named values those that say something, with their names."""
    for cell_start, cell_end in _borders(kind, text, start, end):
        value = text[cell_start:cell_end]
        first, name = cell_start + len(value) - len(value.lstrip()), ""
        if kind == _NAMES and _NAMED.match(value.strip()):
            name = value.strip().partition(": ")[0]
            first += len(name) + 2
        if text[first:cell_end].strip() or kind in _LINE_KINDS:
            yield Cell(name, first, max(first, cell_start + len(value.rstrip())))


def _borders(kind: str, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each cell of a line begins and ends, empty ones too."""
    if kind == _BARS:  # what lies before the first bar and after the last is no cell
        bars = [match.start() for match in _BAR.finditer(text, start, end)]
        yield from ((before + 1, after) for before, after in pairwise(bars))
    else:
        pattern = _CELL if kind == _TABS else _NAMED_CELL
        yield from (match.span() for match in pattern.finditer(text, start, end))


def _is_rule(kind: str, text: str, row: Row) -> bool:
    line = text[row.start : row.end]
    return kind == _BARS and "-" in line and _RULE.fullmatch(line) is not None


def _is_long(text: str, row: Row) -> bool:
    return len(text[row.start : row.end].split()) > ROW_WORDS


def _with_names(kind: str, text: str, table: list[Row], names: Sequence[str]) -> Iterator[Row]:
    """The rows of one table with the names of their columns; a row alone stays with the text around it."""
    if kind == _NAMES:
        yield from table if len(table) > 1 else []
        return
    own = [] if names else _header(kind, text, table)
    body = [row for row in table if not _is_rule(kind, text, row)]
    if len(body) < 2 and not names:
        return
    for number, row in enumerate(body):
        used = () if own and number == 0 else own or names
        if len(row.cells) > len(used) or (kind == _TABS and len(row.cells) < len(used)):
            used = ()  # empty cells of some kinds of file leave no tab
        cells = [
            cell._replace(name=used[place] if place < len(used) else "")
            for place, cell in enumerate(row.cells)
            if text[cell.start : cell.end].strip()
        ]
        yield row._replace(cells=tuple(cells))


def _header(kind: str, text: str, table: Sequence[Row]) -> list[str]:
    """The names in the first row of a table; empty if it has none."""
    if kind not in _LINE_KINDS:
        return []
    rows = [[text[cell.start : cell.end].strip(_MARKS) for cell in row.cells] for row in table]
    if len(table) > 1 and _is_rule(kind, text, table[1]):
        return rows[0]
    if not may_name(rows) or filled(rows[0]) < 2:
        return []
    votes = header_votes(rows)
    return rows[0] if votes > 0 or (votes == 0 and filled(rows[0]) >= SURE_COLUMNS) else []
