"""Tables of rich text: words end cells and rows, and words before these say how the cells are merged."""

from __future__ import annotations

from opendpr.corpus.extract import BlockText
from opendpr.corpus.spanned_cells import MergedCells

TABLE_WORDS = frozenset(("trowd", "clvmgf", "clvmrg", "cellx", "cell", "row"))
FIRST_MERGED, MERGED = "clvmgf", "clvmrg"


class RichTables:
    """The tables of a text, as the words that make them come; tables inside cells are text of these."""

    def __init__(self, text: BlockText) -> None:
        self._text = text
        self.in_row = self._in_cell = False
        self._pieces = self._cells = 0
        """How many pieces of text there are before the cell that is read, and how many cells of its row."""
        self._merges: list[str] = []
        """How each cell of the row is merged with those above and below."""
        self._merge = ""
        self._merged = MergedCells()

    def word(self, word: str, *, hidden: bool) -> None:
        """One of `TABLE_WORDS`; what is added where a cell ends may be hidden."""
        if word == "trowd":  # which programs repeat at the end of the row
            self._merges, self._merge = [], ""
            self._begin_row()
        elif word in (FIRST_MERGED, MERGED):
            self._merge = word
        elif word == "cellx":
            self._merges.append(self._merge)
            self._merge = ""
        elif word == "cell":
            self._end_cell(hidden=hidden)
        elif self.in_row:
            self._text.end_row()
            self.in_row = self._in_cell = False
            self._text.separate("\n")

    def leave_empty_row(self) -> None:
        """A paragraph outside tables ends: a row that was announced and has no cell yet is none."""
        if self.in_row and not self._cells:
            self._text.end_row()
            self.in_row = self._in_cell = False

    def end_table(self) -> None:
        """Text outside tables begins: no cell goes on below it."""
        self._merged.begin_table()

    def begin_cell(self) -> None:
        """What comes next lies in a cell."""
        self._begin_row()
        if not self._in_cell:
            self._in_cell = True
            self._text.begin_cell()
            self._pieces = self._text.piece_count()

    def _begin_row(self) -> None:
        if not self.in_row:
            self.in_row, self._cells = True, 0
            self._text.begin_row()
            self._merged.begin_row()

    def _end_cell(self, *, hidden: bool) -> None:
        """A cell that goes on says what the first of them says."""
        self.begin_cell()
        merge = self._merges[self._cells] if self._cells < len(self._merges) else ""
        self._cells += 1
        words = self._text.since(self._pieces)
        value = self._merged.add_cell(words, begins=merge == FIRST_MERGED, goes_on=merge == MERGED)
        if value and not hidden:
            self._text.add(value)
        self._text.separate("\t")
        self._in_cell = False
