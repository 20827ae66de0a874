"""Cells of a table that span several rows: their value stands in each of these, so that a row says all it means."""

from __future__ import annotations

from collections.abc import Iterator

MOST_ROWS, MOST_COLUMNS = 1_000, 100
"""Rows that a cell spans at most, and columns in which such cells are followed."""
VALUE_CHARACTERS = 100
"""A longer value is text beside the table rather than the name of its rows."""


class SpannedCells:
    """What the cells of earlier rows say in the row that is read."""

    def __init__(self) -> None:
        self._column = 0
        self._spans: dict[int, tuple[int, int, str]] = {}
        """For the first column of each cell the rows that are left, its columns and its value."""
        self._new: dict[int, tuple[int, int, str]] = {}

    def begin_row(self) -> None:
        """A row begins: columns are counted anew, and what spans into it was noted in the rows before."""
        self._column = 0
        self._spans = {
            column: (rows - 1, columns, value) for column, (rows, columns, value) in self._spans.items() if rows > 1
        }
        self._spans |= self._new
        self._new = {}

    def before_cell(self) -> Iterator[str]:
        """The values of the cells of earlier rows before the next cell; empty where none is repeated."""
        while self._column in self._spans:
            _, columns, value = self._spans[self._column]
            yield value
            self._column += columns

    def add_cell(self, value: str, rows: int, columns: int) -> None:
        """A cell of the row that is read, and how many rows and columns it spans; 0 rows are all that follow."""
        words = " ".join(value.split())
        rows, columns = MOST_ROWS if rows == 0 else rows, max(1, columns)
        if rows > 1 and self._column < MOST_COLUMNS:
            repeated = words if len(words) <= VALUE_CHARACTERS else ""
            self._new[self._column] = (min(rows, MOST_ROWS) - 1, columns, repeated)
        self._column += columns
