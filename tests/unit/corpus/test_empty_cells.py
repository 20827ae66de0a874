"""Empty cells of tables of pages and office documents: the others keep the names of their columns."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest

from opendpr.corpus.child import PARSER_MODULES
from opendpr.corpus.extract import Extract
from opendpr.text.table_rows import table_rows
from samples import docx, odt, paragraph, pptx, text

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


def slide(table: Table) -> bytes:
    rows = elements(table, "a:tr", "a:tc", lambda value: f"<a:p><a:r><a:t>{value}</a:t></a:r></a:p>" if value else "")
    return pptx([f"<p:graphicFrame><a:tbl>{rows}</a:tbl></p:graphicFrame>"])


def rich(table: Table) -> bytes:
    rows = ("".join(rf"\pard\intbl {value}\cell" for value in values) for values in table)
    return ("{\\rtf1 " + "".join(rf"\trowd\cellx1\cellx2{cells}\row" for cells in rows) + "}").encode()


FILES = [
    *(("html", page(TABLE)), ("docx", word(TABLE)), ("opendocument", opendocument(TABLE))),
    *(("pptx", slide(TABLE)), ("rtf", rich(TABLE))),
]


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


@pytest.mark.parametrize(
    "row",
    [
        r"\trowd\cellx1\cellx2\cellx3\pard\intbl {a}\cell {b}\cell {c}\cell\row",
        r"\trowd\cellx1\cellx2\cellx3\pard\intbl {{{a}\cell {b}\cell {c}\cell}}\pard\intbl"
        r" {{\trowd\cellx1\cellx2\cellx3\row}}",
        r"\pard\intbl {a}\cell\pard\intbl {b}\cell\pard\intbl {c}\cell\row",
        r"\trowd\cellx1\cellx2\cellx3 {a}\cell\pard {b}\cell\pard {c}\cell\row",
    ],
    ids=["words before the cells", "and again behind them", "none", "cells not marked"],
)
def test_rows_of_rich_text_are_found_whichever_program_wrote_them(row):
    table = [("Stop", "Time", "Fare"), ("Gull", "", "40"), ("", "08:15", "55"), ("Cove", "9:00", "")]
    rows = "".join(row.format(a=a, b=b, c=c) for a, b, c in table)
    written = text("rtf", ("{\\rtf1 Before.\\par " + rows + "\\pard After.\\par}").encode())
    assert written == "Before.\n\n" + "\n".join("\t".join(values) for values in table) + "\n\nAfter."


def test_merged_cells_of_rich_text_and_slides_say_in_each_row_what_the_first_says():
    definition = r"\trowd\clvm{}\cellx1\cellx2\pard\intbl {}\cell {}\cell\row"
    rows = [("gf", "Quay", "08:15"), ("rg", "", "09:15"), ("rg", "", ""), ("gf", "", "10:15"), ("rg", "", "11:15")]
    content = "".join(definition.format(*row) for row in rows)
    expected = "Quay\t08:15\nQuay\t09:15\nQuay\t\n\t10:15\n\t11:15"
    assert text("rtf", ("{\\rtf1 " + content + "}").encode()) == expected
    cell = "<a:tc{}><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
    attributes = {"gf": ' rowSpan="2"', "rg": ' vMerge="1"'}
    table = "".join(f"<a:tr>{cell.format(attributes[m], a)}{cell.format('', b)}</a:tr>" for m, a, b in rows)
    assert text("pptx", pptx([f"<p:graphicFrame><a:tbl>{table}</a:tbl></p:graphicFrame>"])) == expected


def test_a_table_in_a_cell_of_rich_text_has_rows_of_its_own():
    inner = r"\pard\intbl\itap2 x\nestcell y\nestcell{\*\nesttableprops\trowd\cellx1\cellx2\nestrow}"
    body = rf"\trowd\cellx1\cellx2\pard\intbl a\cell{inner}{inner}\pard\intbl b\cell\row"
    assert text("rtf", ("{\\rtf1 " + body + "}").encode()) == "a\tx\ty\nx\ty\nb"


EARLIER = '<w:trPrChange w:id="1"><w:trPr><w:gridBefore w:val="3"/></w:trPr></w:trPrChange>'


def row_of_word(cells: Sequence[str], before: int = 0, after: int = 0, change: str = "") -> str:
    """A row that begins some columns later and ends some earlier, and how it was before a tracked change."""
    free = f'<w:gridBefore w:val="{before}"/>' * bool(before) + f'<w:gridAfter w:val="{after}"/>' * bool(after)
    return f"<w:tr><w:trPr>{free}{change}</w:trPr>{''.join(cells)}</w:tr>"


@pytest.mark.parametrize("change", ["", EARLIER])
def test_rows_of_word_that_begin_or_end_some_columns_inside_keep_their_columns(change):
    names = ("Pier", "Departs", "Arrives", "Fare")
    table = [(names, 0, 0), (("09:05", "40"), 2, 0), (("Alder Cove",), 0, 3), (("11:05",), 1, 2)]
    rows = [
        row_of_word([f"<w:tc>{paragraph(cell)}</w:tc>" for cell in cells], before, after, change)
        for cells, before, after in table
    ]
    written = text("docx", docx(f"<w:tbl>{''.join(rows)}</w:tbl>"))
    assert written == "\n".join(["\t".join(names), "\t\t09:05\t40", "Alder Cove\t\t\t", "\t11:05\t\t"])
    assert [row.words(written) for row in table_rows(written)][1:] == [
        "Arrives: 09:05; Fare: 40",
        "Pier: Alder Cove",
        "Departs: 11:05",
    ]


def test_merged_cells_of_word_are_counted_from_the_first_column_of_their_row():
    cell = "<w:tc><w:tcPr>{}</w:tcPr>{}</w:tc>"
    first = [cell.format("", paragraph("Quay")), cell.format('<w:vMerge w:val="restart"/>', paragraph("08:15"))]
    second = [cell.format("<w:vMerge/>", paragraph(""))]
    rows = row_of_word(first) + row_of_word(second, before=1)
    assert text("docx", docx(f"<w:tbl>{rows}</w:tbl>")) == "Quay\t08:15\n\t08:15"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"\trowd\cellx1\cellx2 \pard First.\par Second.\par Third\par", "First.\n\nSecond.\n\nThird"),
        (
            r"\trowd\cellx1\cellx2 a\cell b\cell\row\trowd\cellx1\cellx2\pard One\par Two\par "
            r"\trowd\cellx1\cellx2 c\cell d\cell\row",
            "a\tb\nOne\n\nTwo\n\nc\td",
        ),
        (
            r"\trowd\clvmgf\cellx1\cellx2 A\cell x\cell\row\pard Between.\par"
            r"\trowd\clvmrg\cellx1\cellx2 \cell z\cell\row",
            "A\tx\n\nBetween.\n\n\tz",
        ),
    ],
    ids=["no row", "no row between rows", "merged below nothing"],
)
def test_rows_of_rich_text_that_are_announced_and_do_not_come_are_none(body, expected):
    assert text("rtf", ("{\\rtf1 " + body + "}").encode()) == expected


def page_of_cell(cell: str) -> bytes:
    return f"<table><tr><th>Pier</th><th>Departs</th></tr><tr><td>{cell}</td><td>08:15</td></tr></table>".encode()


@pytest.mark.parametrize(
    "cell",
    [
        *("Gull<br>Rock", "<p>Gull</p><p>Rock</p>", "<div>Gull</div>\n<div>Rock</div>", "<ul><li>Gull<li>Rock</ul>"),
        *("Gull<br><br>Rock<br>", "<br>Gull<p>Rock"),
    ],
)
def test_the_lines_of_a_short_cell_of_a_page_are_one_value(cell):
    assert text("html", page_of_cell(cell)) == "Pier\tDeparts\nGull Rock\t08:15"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("<h3>Gull</h3><p>Rock", "Pier\tDeparts\n\nGull\n\nRock\n\n\t08:15"),
        ("<pre>Gull\nRock</pre>", "Pier\tDeparts\n\nGull\nRock\n\n\t08:15"),
        (f"<p>{'Gull ' * 20}</p><p>Rock</p>", f"Pier\tDeparts\n\n{('Gull ' * 20).strip()}\n\nRock\n\n\t08:15"),
    ],
)
def test_a_cell_that_is_a_layout_keeps_its_lines(cell, expected):
    assert text("html", page_of_cell(cell)) == expected


def test_text_that_is_alone_in_its_row_keeps_its_lines():
    assert text("html", b"<table><tr><td>Gull<br>Rock</td></tr></table><p>a<br>b") == "Gull\nRock\n\na\nb"


def test_line_ends_and_tabs_in_cells_of_office_documents_are_spaces():
    run = "<w:r><w:t>{}</w:t></w:r>"
    cell = f"<w:tc><w:p>{run.format('Gull')}<w:r>{{}}</w:r>{run.format('Rock')}</w:p></w:tc>"
    for sign in ("<w:br/>", "<w:tab/>", "<w:cr/>"):
        row = f"<w:tr>{cell.format(sign)}<w:tc>{paragraph('08:15')}</w:tc></w:tr>"
        assert text("docx", docx(f"<w:tbl>{row}</w:tbl><w:p><w:r>{sign}</w:r></w:p>")).strip() == "Gull Rock\t08:15"
    for sign in (r"\line", r"\tab", r"\par"):
        content = rf"{{\rtf1 \trowd\cellx1\cellx2\pard\intbl Gull{sign} Rock\cell 08:15\cell\row\pard a\line b}}"
        assert text("rtf", content.encode()) == "Gull Rock\t08:15\n\na\nb"
    for sign in ("<text:line-break/>", "<text:tab/>"):
        row = "<table:table-row>{}{}</table:table-row>".format(
            f"<table:table-cell><text:p>Gull{sign}Rock</text:p></table:table-cell>",
            "<table:table-cell><text:p>08:15</text:p></table:table-cell>",
        )
        assert text("opendocument", odt(f"<table:table>{row}</table:table>")) == "Gull Rock\t08:15"
    words = "<a:p><a:r><a:t>Gull</a:t></a:r><a:br/><a:r><a:t>Rock</a:t></a:r></a:p>"
    row = f"<a:tr><a:tc>{words}</a:tc><a:tc><a:p><a:r><a:t>08:15</a:t></a:r></a:p></a:tc></a:tr>"
    assert text("pptx", pptx([f"<p:graphicFrame><a:tbl>{row}</a:tbl></p:graphicFrame>"])) == "Gull Rock\t08:15"
