"""Tables of Word: what is between cells, and the value of cells that are merged with those below in each row."""

from __future__ import annotations

from collections.abc import Mapping

from opendpr.corpus.extract import BlockText
from opendpr.corpus.office import whole
from opendpr.corpus.spanned_cells import MOST_COLUMNS, MergedCells

TABLE_ELEMENTS = frozenset(("tbl", "tr", "tc", "vMerge", "gridSpan", "gridBefore", "gridAfter"))


class Tables:
    """The tables of a text, as their elements begin and end."""

    def __init__(self, text: BlockText) -> None:
        self._text = text
        self.depth = 0
        """Cells that what is read lies in."""
        self._pieces = 0
        """How many pieces of text there are before the cell that is read."""
        self._columns, self._columns_after = 1, 0
        self._merge = ""
        self._merged = MergedCells()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin a row or a cell, or take a property of it: how it is merged, or how many columns it is wide."""
        self.depth += name == "tc"
        if not self.depth:
            self._start_row(name, attributes)
        if self.depth != 1:
            return
        if name == "tc":
            self._text.begin_cell()
            self._pieces, self._columns, self._merge = self._text.piece_count(), 1, ""
        elif name == "vMerge":
            self._merge = attributes.get("val", "continue")
        elif name == "gridSpan":
            self._columns = max(1, whole(attributes.get("val", "1"), 1))

    def _start_row(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin a row, or take how many columns it leaves free before its first cell and after its last."""
        columns = min(whole(attributes.get("val", "0")), MOST_COLUMNS)
        if name == "tr":
            self._columns_after = 0
            self._text.begin_row()
            self._merged.begin_row()
        elif name == "gridBefore":
            self._merged.begin_row(columns)
            self._begin_cells(columns)
        elif name == "gridAfter":
            self._columns_after = columns

    def _begin_cells(self, count: int) -> None:
        for _ in range(count):
            self._text.begin_cell()

    def end(self, name: str, *, hidden: bool) -> None:
        """End a table, a row or a cell; a row may be hidden."""
        if name == "tc":
            self.depth -= 1
            if not self.depth:
                self._end_cell(hidden=hidden)
            self._text.separate("\t")
        elif name == "tr":
            if not self.depth:
                self._begin_cells(self._columns_after)
                self._text.end_row()
            self._text.separate("\n")
        elif name == "tbl" and not self.depth:
            self._merged.begin_table()
            self._text.separate("\n\n")

    def _end_cell(self, *, hidden: bool) -> None:
        """A cell without text of its own says what the cell says that goes on in it."""
        value = self._merged.add_cell(
            self._text.since(self._pieces),
            begins=self._merge == "restart",
            goes_on=self._merge == "continue",
            columns=self._columns,
        )
        if value and not hidden:
            self._text.add(value)
