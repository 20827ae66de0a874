"""Empty cells of tables of HTML, Word and OpenDocument: the others keep the names of their columns."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest

from opendpr.corpus.child import PARSER_MODULES
from opendpr.corpus.extract import Extract
from opendpr.text.table_rows import table_rows
from samples import docx, odt, paragraph, text

Table = Sequence[Sequence[str]]
TABLE = (
    ("", "Departs", "Arrives", "Fare"),
    ("Gull Island", "07:10", "", "40"),
    ("", "08:15", "09:05", "55"),
    ("Heron Point", "", "", "60"),
    ("Alder Cove", "11:05", "12:10", ""),
)
TEXT = "\n".join(map("\t".join, TABLE))
WORDS = [
    "Departs; Arrives; Fare",
    "Gull Island; Departs: 07:10; Fare: 40",
    "Departs: 08:15; Arrives: 09:05; Fare: 55",
    "Heron Point; Fare: 60",
    "Alder Cove; Departs: 11:05; Arrives: 12:10",
]


def elements(table: Table, row: str, cell: str, content: Callable[[str], str]) -> str:
    """The rows of a table, written with elements of these names."""
    written = ("".join(f"<{cell}>{content(value)}</{cell}>" for value in values) for values in table)
    return "".join(f"<{row}>{cells}</{row}>" for cells in written)


def page(table: Table, empty: str = "") -> bytes:
    return f"<table>{elements(table, 'tr', 'td', lambda value: value or empty)}</table>".encode()


def word(table: Table) -> bytes:
    return docx(f"<w:tbl>{elements(table, 'w:tr', 'w:tc', paragraph)}</w:tbl>")


def opendocument(table: Table) -> bytes:
    rows = elements(table, "table:table-row", "table:table-cell", lambda value: f"<text:p>{value}</text:p>")
    return odt(f"<table:table>{rows}</table:table>")


FILES = [("html", page(TABLE)), ("docx", word(TABLE)), ("opendocument", opendocument(TABLE))]


@pytest.mark.parametrize(("kind", "content"), FILES, ids=[kind for kind, _ in FILES])
def test_an_empty_cell_leaves_the_other_values_below_their_names(kind, content):
    written = text(kind, content)
    assert written == TEXT
    rows = table_rows(written)
    assert [row.words(written) for row in rows] == WORDS
    values = [written[cell.start : cell.end] for row in rows for cell in row.cells]
    assert values == [value for row in TABLE for value in row if value]


@pytest.mark.parametrize("empty", ["<br>", "\n  ", "<span></span>", "<!-- none -->", "<b> </b><br/>"])
def test_a_cell_of_a_page_that_shows_nothing_is_empty(empty):
    assert text("html", page(TABLE, empty)) == TEXT


def test_a_space_in_a_cell_is_no_value():
    rows = table_rows(written := text("html", page(TABLE, "&nbsp;")))
    assert [row.words(written) for row in rows] == WORDS


def test_one_element_may_stand_for_several_empty_cells_of_opendocument():
    cell, empty = "<table:table-cell><text:p>{}</text:p></table:table-cell>", "<table:table-cell{}/>"
    repeated = ' table:number-columns-repeated="{}"'
    row = "<table:table-row>{}</table:table-row>".format(
        cell.format("a") + empty.format(repeated.format(2)) + cell.format("b") + empty.format(repeated.format(1_020))
    )
    assert text("opendocument", odt(f"<table:table>{row}{row}</table:table>")) == "a\t\t\tb\t\na\t\t\tb\t"


def test_a_row_without_values_leaves_nothing_and_a_table_in_a_cell_ends_its_row():
    assert text("html", page([["a", "b"], ["", ""], ["c", ""]])) == "a\tb\nc\t"
    inner = page([["", "x"], ["y", ""]]).decode()
    assert text("html", page([["a", inner, "b"], ["", "c", "d"]])) == "a\n\n\tx\ny\t\n\nb\n\tc\td"


def test_places_of_headings_count_the_tabs():
    content = b"<table><tr><td></td><td>a</td><td></td><td><h2>Ports</h2></td><td></td></tr></table><h2>Piers</h2>"
    extract = PARSER_MODULES["html"](io.BytesIO(content))
    assert isinstance(extract, Extract)
    places = {heading: start for start, _, heading, _ in extract.metadata["sections"]}  # type: ignore[attr-defined]
    assert places == {heading: extract.text.index(heading) for heading in ("Ports", "Piers")}
