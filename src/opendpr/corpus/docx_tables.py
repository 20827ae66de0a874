"""Tables of Word: what is between cells, and the value of cells that are merged with those below in each row."""

from __future__ import annotations

from collections.abc import Mapping

from opendpr.corpus.extract import BlockText
from opendpr.corpus.office import whole
from opendpr.corpus.spanned_cells import VALUE_CHARACTERS

TABLE_ELEMENTS = frozenset(("tbl", "tr", "tc", "vMerge", "gridSpan"))


class Tables:
    """The tables of a text, as their elements begin and end."""

    def __init__(self, text: BlockText) -> None:
        self._text = text
        self.depth = 0
        """Cells that what is read lies in."""
        self._pieces = 0
        """How many pieces of text there are before the cell that is read."""
        self._column, self._columns = 0, 1
        self._merge = ""
        self._values: dict[int, str] = {}
        """For each column what the cells say that go on in the rows below."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin a cell, or take a property of it: how it is merged, or how many columns it is wide."""
        self.depth += name == "tc"
        if name == "tr" and not self.depth:
            self._text.begin_row()
        if self.depth != 1:
            return
        if name == "tc":
            self._text.begin_cell()
            self._pieces, self._columns, self._merge = self._text.piece_count(), 1, ""
        elif name == "vMerge":
            self._merge = attributes.get("val", "continue")
        elif name == "gridSpan":
            self._columns = max(1, whole(attributes.get("val", "1"), 1))

    def end(self, name: str, *, hidden: bool) -> None:
        """End a table, a row or a cell; a row may be hidden."""
        if name == "tc":
            self.depth -= 1
            if not self.depth:
                self._end_cell(hidden=hidden)
            self._text.separate("\t")
        elif name == "tr":
            if not self.depth:
                self._column = 0
                self._text.end_row()
            self._text.separate("\n")
        elif name == "tbl" and not self.depth:
            self._values.clear()
            self._text.separate("\n\n")

    def _end_cell(self, *, hidden: bool) -> None:
        """A cell without text of its own says what the cell says that goes on in it."""
        column, words = self._column, " ".join(self._text.since(self._pieces).split())
        self._column += self._columns
        if self._merge != "continue" or words:
            for other in [place for place in self._values if column < place < self._column]:
                del self._values[other]
            self._values[column] = words if self._merge == "restart" and len(words) <= VALUE_CHARACTERS else ""
        elif self._values.get(column) and not hidden:
            self._text.add(self._values[column])
