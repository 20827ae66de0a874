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


class MergedCells:
    """Cells of Word, rich text and PowerPoint, where a cell that spans rows has a part in each of them."""

    def __init__(self) -> None:
        self._column = 0
        self._values: dict[int, str] = {}
        """For each column what the cells say that go on in the rows below."""

    def begin_row(self, columns: int = 0) -> None:
        """A row begins, so many columns after the first."""
        self._column = columns

    def begin_table(self) -> None:
        """Another table begins."""
        self._column = 0
        self._values.clear()

    def add_cell(self, words: str, *, begins: bool, goes_on: bool, columns: int = 1) -> str:
        """The next cell of the row, and what stands in it besides its own words.

        Args:
            begins: whether it is the first of several that are merged, one below the other
            goes_on: whether it is one of these, and not the first; it has words of its own in files that are wrong
            columns: how many it is wide
        """
        column, words = self._column, " ".join(words.split())
        self._column += columns
        if goes_on and not words:
            return self._values.get(column, "")
        for other in [place for place in self._values if column < place < self._column]:
            del self._values[other]
        self._values[column] = words if begins and len(words) <= VALUE_CHARACTERS else ""
        return ""
