"""Turns the elements of an OpenDocument's `content.xml` into the text that an office program shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from opendpr.corpus.extract import BlockText
from opendpr.corpus.numbering import Numbers
from opendpr.corpus.office import values, whole
from opendpr.corpus.opendocument_styles import OUTLINE, TextStyles
from opendpr.corpus.spanned_cells import SpannedCells

DROPPED_ELEMENTS = frozenset(
    ("tracked-changes", "annotation", "note-citation", "scripts", "forms", "desc", "number", "hidden-text")
)
"""Deleted text, comments, the mark of a note, which is written by its number, and numbers, which are counted here."""
MOST_REPEATED = 20
"""Columns that one empty cell stands for; a cell of more is the empty rest of a sheet."""
STYLE_FAMILIES = {
    "span": "text",
    "a": "text",
    "p": "paragraph",
    "h": "paragraph",
    "section": "section",
    "table": "table",
    "page": "drawing-page",
}
"""Elements that a style may hide."""
HIDDEN_VALUES = frozenset(("none", "collapse", "filter"))
"""How an element itself says that it is not shown."""
CELL_SIZES = ("number-rows-spanned", "number-columns-spanned")
SPACES = 1_000
"""Most spaces in a row."""


class Cell(NamedTuple):
    """A cell of a table that is not inside another."""

    pieces: int = 0
    """How many pieces of text there are before it."""
    rows: int = 1
    columns: int = 1


@dataclass(slots=True)
class ListPlace:
    """A list that a paragraph lies in."""

    numbers: Numbers
    level: int
    item: str = ""
    """The number of an item that no paragraph has yet."""


class ContentReader:
    """Reads element by element.

    Args:
        formula: gives the formula in the part of the file that a link names
    """

    def __init__(self, text: BlockText, styles: TextStyles, formula: Callable[[str], str]) -> None:
        self._text, self._styles, self._formula = text, styles, formula
        self._dropped = 0
        self._in_styles = self._is_gone = False
        self._cells = self._paragraphs = self._notes = 0
        self._scripts: list[str] = []
        self._lists: list[ListPlace] = []
        self._reading: list[str] | None = None
        self._spanned = SpannedCells()
        self._cell = Cell()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, attributes = name.rpartition("}")[2], values(attributes)
        if self._in_styles:
            self._styles.start(name, attributes)
        elif local == "automatic-styles":
            self._in_styles = True
        elif self._dropped or self._is_dropped(local, attributes):
            self._dropped += 1
        elif local in ("p", "h"):
            self._begin_paragraph(local, attributes)
        elif local in ("span", "a"):
            own = self._styles.script(attributes.get("style-name", ""))
            self._scripts.append(own or (self._scripts[-1] if self._scripts else ""))
        elif local == "list":
            self._begin_list(attributes)
        elif local == "list-item" and self._lists:
            place = self._lists[-1]
            restart = whole(attributes["start-value"], 1) if "start-value" in attributes else None
            place.item = place.numbers.number(place.level, restart)
        elif local == "hidden-paragraph":
            self._is_gone = attributes.get("is-hidden", "true") == "true"
        else:
            self._piece(local, attributes)

    def _is_dropped(self, local: str, attributes: Mapping[str, str]) -> bool:
        """Whether nothing of an element is seen."""
        if local in DROPPED_ELEMENTS or {attributes.get("display"), attributes.get("visibility")} & HIDDEN_VALUES:
            return True
        family = STYLE_FAMILIES.get(local)
        return family is not None and self._styles.is_hidden(family, attributes.get("style-name", ""))

    def _begin_paragraph(self, local: str, attributes: Mapping[str, str]) -> None:
        self._separate()
        self._paragraphs += 1
        numbered = [place for place in self._lists if place.item]
        if local == "h":
            level = whole(attributes.get("outline-level", "1"), 1)
            self._text.begin_heading(level)
            unnumbered = attributes.get("is-list-header") == "true" or self._styles.has_no_number(
                attributes.get("style-name", "")
            )
            if not self._lists and not unnumbered:
                restart = (
                    whole(attributes.get("start-value", "1"), 1)
                    if attributes.get("restart-numbering") == "true"
                    else None
                )
                self._number(self._styles.numbers(OUTLINE).number(level - 1, restart))
        for place in numbered:
            self._number(place.item)
            place.item = ""

    def _number(self, number: str) -> None:
        """Write the number of a paragraph."""
        if number:
            self._text.add(number)
            self._text.separate(" ")

    def _begin_list(self, attributes: Mapping[str, str]) -> None:
        """A list inside another is the next level of it, unless it has a style of its own."""
        above = self._lists[-1] if self._lists else None
        name = attributes.get("style-name")
        numbers = above.numbers if above and not name else self._styles.numbers(name or "")
        if above is None and attributes.get("continue-numbering") != "true" and "continue-list" not in attributes:
            numbers.counts.clear()
        self._lists.append(ListPlace(numbers, above.level + 1 if above else 0))

    def _piece(self, local: str, attributes: Mapping[str, str]) -> None:
        """Add what an element stands for."""
        if local == "table-cell":
            self._cells += 1
            if self._cells == 1:
                self._add_spanned()
                rows, columns = (whole(attributes.get(name, "1"), 1) for name in CELL_SIZES)
                repeated = whole(attributes.get("number-columns-repeated", "1"), 1)
                for _ in range(repeated if repeated <= MOST_REPEATED else 1):
                    self._text.begin_cell()
                self._cell = Cell(self._text.piece_count(), rows, columns * repeated)
        elif local == "table" and not self._cells:
            self._spanned = SpannedCells()
        elif local == "table-row" and not self._cells:
            self._spanned.begin_row()
            self._text.begin_row()
        elif local == "page":
            self._text.separate("\n\n")
        elif local == "note":
            self._notes += 1
            self._add(f"[{self._notes}:")
        elif local == "s":
            self._add(" " * min(whole(attributes.get("c", "1"), 1), SPACES))
        elif local in ("tab", "line-break"):
            self._add(" " if self._cells else "\t" if local == "tab" else "\n")
        elif local == "ruby-text":
            self._reading = []
        elif local == "object" and (written := self._formula(attributes.get("href", ""))):
            self._text.add_collapsed(written)

    def _add_spanned(self) -> None:
        """Add what cells of earlier rows say before the next cell."""
        for value in self._spanned.before_cell():
            self._text.separate("\t")
            self._text.begin_cell()
            if value:
                self._add(value)
            self._text.separate("\t")

    def _add(self, piece: str) -> None:
        if not self._is_gone:
            self._text.add(piece)

    def end(self, name: str) -> None:
        local = name.rpartition("}")[2]
        if local == "automatic-styles":
            self._in_styles = False
        if self._dropped:
            self._dropped -= 1
        elif local in ("p", "h"):
            if local == "h":
                self._text.end_heading()
            self._paragraphs -= 1
            self._is_gone = False
            self._separate()
        elif local in ("span", "a") and self._scripts:
            self._scripts.pop()
        elif local == "list" and self._lists:
            self._lists.pop()
        elif local == "table-cell":
            self._cells -= 1
            if not self._cells:
                self._spanned.add_cell(self._text.since(self._cell.pieces), self._cell.rows, self._cell.columns)
            self._text.separate("\t")
        elif local == "ruby-text" and self._reading is not None:
            reading, self._reading = "".join(self._reading).strip(), None
            self._add(f"({reading})" if reading else "")
        elif local in ("table-row", "table"):
            if local == "table-row" and not self._cells:
                self._add_spanned()
                self._text.end_row()
            self._text.separate("\n" if local == "table-row" else "\n\n")
        elif local == "note" and not self._is_gone:
            self._text.close("]")

    def data(self, data: str) -> None:
        if self._dropped or self._is_gone or self._paragraphs <= 0:
            return
        script = self._scripts[-1] if self._scripts else ""
        if self._reading is not None:
            self._reading.append(data)
        elif script not in ("super", "sub") or not data.strip():
            self._text.add_collapsed(data)
        else:
            self._text.separate(" " if data[0].isspace() else "")
            add = self._text.add_raised if script == "super" else self._text.add_lowered
            add(" ".join(data.split()))
            self._text.separate(" " if data[-1].isspace() else "")

    def _separate(self) -> None:
        self._text.separate(" " if self._cells or self._paragraphs > 0 else "\n\n")
