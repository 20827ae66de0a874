"""Turns the elements of a sheet of Excel into rows of values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from opendpr.corpus.extract import BlockText, visible
from opendpr.corpus.office import OFF_VALUES, values, whole
from opendpr.corpus.xlsx_values import CellStyles, one_line, shown_number, unescaped

REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
LAST_COLUMN = 16_384
BOOLEANS = {"0": "FALSE", "1": "TRUE", "false": "FALSE", "true": "TRUE"}
Area = tuple[int, int, int, int]
"""First column and row, last column and row, from 1."""


class RichText:
    """A text in runs: superscripts are set apart, and what is struck through and how characters are read left out."""

    def __init__(self) -> None:
        self._text = BlockText()
        self._script = ""
        self._in_text = self._in_reading = self._struck = False

    def start(self, local: str, attributes: Mapping[str, str]) -> None:
        self._in_text = local == "t" and not self._in_reading
        if local == "rPh":
            self._in_reading = True
        elif local == "r":
            self._script, self._struck = "", False
        elif local == "vertAlign":
            self._script = attributes.get("val", "")
        elif local == "strike":
            self._struck = attributes.get("val", "1") not in OFF_VALUES

    def end(self, local: str) -> None:
        self._in_text = False
        if local == "rPh":
            self._in_reading = False

    def data(self, data: str) -> None:
        if not self._in_text or self._struck:
            return
        if self._script == "superscript" and data.strip():
            self._text.add_raised(data)
        elif self._script == "subscript" and data.strip():
            self._text.add_lowered(data)
        else:
            self._text.add(data)

    def text(self) -> str:
        """All of it on one line."""
        return visible(one_line(unescaped(self._text.text())))


class SharedStrings:
    """The texts that the cells of all sheets name by their numbers."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._text = RichText()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition("}")[2]
        if local == "si":
            self._text = RichText()
        self._text.start(local, values(attributes))

    def end(self, name: str) -> None:
        local = name.rpartition("}")[2]
        self._text.end(local)
        if local == "si":
            self.texts.append(self._text.text())

    def data(self, data: str) -> None:
        self._text.data(data)


@dataclass
class Cell:
    """A cell while its elements are read."""

    column: int
    kind: str
    style: int
    rich: RichText | None = None
    value: list[str] = field(default_factory=list)
    has_formula: bool = False


class Sheet:
    """The rows of a sheet.

    Args:
        strings: the texts that cells name by their numbers
    """

    def __init__(self, strings: Sequence[str], styles: CellStyles, *, from_1904: bool = False) -> None:
        self._strings, self._styles, self._from_1904 = strings, styles, from_1904
        self._rows: dict[int, dict[int, str]] = {}
        self._hidden_rows: set[int] = set()
        self._hidden_columns: list[tuple[int, int]] = []
        self._merged: list[Area] = []
        self._filter: Area | None = None
        self.filtered: list[Area] = []
        """Where a filter hides rows."""
        self._row = self._column = 0
        self._cell: Cell | None = None
        self._in_value = False
        self.not_computed: list[str] = []
        """Cells with formulas without a value."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, attributes = name.rpartition("}")[2], values(attributes)
        if local == "row":
            self._begin_row(attributes)
        elif local == "c":
            self._begin_cell(attributes)
        elif self._cell is not None:
            self._in_value = local == "v"
            self._cell.has_formula |= local == "f"
            if local == "is":
                self._cell.rich = RichText()
            elif self._cell.rich is not None:
                self._cell.rich.start(local, attributes)
        elif local == "col" and _is_hidden(attributes, "width"):
            self._hidden_columns.append((whole(attributes.get("min", "0")), whole(attributes.get("max", "0"))))
        elif local == "mergeCell" and (merged := area(attributes.get("ref", ""))):
            self._merged.append(merged)
        elif local == "autoFilter":
            self._filter = area(attributes.get("ref", ""))
        elif local == "filterColumn" and self._filter:
            self.filtered.append(self._filter)

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        self._row, self._column = whole(attributes.get("r", ""), self._row + 1), 0
        if _is_hidden(attributes, "ht"):
            self._hidden_rows.add(self._row)

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        place = REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = column_number(place[1]) if place else self._column + 1
        self._cell = Cell(self._column, attributes.get("t", "n"), whole(attributes.get("s", "0")))

    def end(self, name: str) -> None:
        local = name.rpartition("}")[2]
        self._in_value = False
        if self._cell is None:
            return
        if self._cell.rich is not None:
            self._cell.rich.end(local)
        if local == "c":
            cell, self._cell = self._cell, None
            if cell.column <= LAST_COLUMN and (shown := self._shown(cell)):
                self._rows.setdefault(self._row, {})[cell.column] = shown

    def data(self, data: str) -> None:
        if self._cell is not None and self._in_value:
            self._cell.value.append(data)
        elif self._cell is not None and self._cell.rich is not None:
            self._cell.rich.data(data)

    def _shown(self, cell: Cell) -> str:
        """What is seen of a cell."""
        value = "".join(cell.value).strip()
        if cell.style < len(self._styles.struck) and self._styles.struck[cell.style]:
            return ""
        if cell.rich is not None and (text := cell.rich.text()):
            return text
        if not value and cell.has_formula and cell.kind != "str":
            self.not_computed.append(f"{column_letters(cell.column)}{self._row}")
        if not value:
            return ""
        if cell.kind == "s":
            number = whole(value, len(self._strings))
            return self._strings[number] if number < len(self._strings) else ""
        if cell.kind in ("str", "inlineStr", "e"):
            return visible(one_line(unescaped(value)))
        if cell.kind == "d":
            return value.replace("T", " ").removesuffix("Z").removesuffix(" 00:00:00")
        if cell.kind == "b":
            return BOOLEANS.get(value, value)
        code = self._styles.formats[cell.style] if cell.style < len(self._styles.formats) else ""
        return shown_number(value, code, from_1904=self._from_1904)

    def rows(self) -> Iterator[list[str]]:
        """The rows that are shown or that a filter hides, without columns that are hidden or empty everywhere.

        A value that is merged with the cells below it stands in each of these rows.
        """
        for first_column, first, _, last in self._merged:
            value = self._rows.get(first, {}).get(first_column)
            for number in range(first + 1, last + 1) if value else ():
                if number in self._rows:
                    self._rows[number].setdefault(first_column, value or "")
        shown = [number for number in sorted(self._rows) if not self._is_hidden_row(number)]
        used = sorted({column for number in shown for column in self._rows[number]})
        columns = [column for column in used if not any(low <= column <= high for low, high in self._hidden_columns)]
        for number in shown:
            row = self._rows[number]
            yield [row.get(column, "") for column in columns]

    def _is_hidden_row(self, number: int) -> bool:
        """Whether nobody sees a row; who opens the file sees by its arrows that a filter hides some."""
        return number in self._hidden_rows and not any(first <= number <= last for _, first, _, last in self.filtered)


def _is_hidden(attributes: Mapping[str, str], size: str) -> bool:
    """Whether a row or columns are hidden, other than as a part that can be unfolded."""
    hidden = attributes.get("hidden", "0") not in OFF_VALUES or attributes.get(size) in ("0", "0.0")
    return hidden and attributes.get("outlineLevel", "0") == "0"


def area(reference: str) -> Area | None:
    """The cells that `A1:B3` names."""
    first, _, last = reference.partition(":")
    begins, ends = REFERENCE.fullmatch(first), REFERENCE.fullmatch(last or first)
    if not begins or not ends:
        return None
    return column_number(begins[1]), int(begins[2]), column_number(ends[1]), int(ends[2])


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """A for 1, AA for 27."""
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters
