"""Excel workbooks as programs write them: what a reader of the sheet sees, once, as it is shown there."""

from __future__ import annotations

import io
import zipfile

import pytest

from opendpr.corpus.extract import NotReadError
from opendpr.corpus.xlsx import parse_xlsx
from opendpr.corpus.xlsx_values import shown_number
from samples import archive, row_of_texts, workbook_of_parts

STAFF = row_of_texts("Name", "Phone") + row_of_texts("Jonas Berg", "555-0178")
AS_TEXT = "Name: Jonas Berg; Phone: 555-0178"
STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="&quot;kr&quot; #,##0.00"/></numFmts>'
    "<fonts><font/><font><strike/></font></fonts><fills><fill/></fills>"
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf fontId="1"/></cellXfs></styleSheet>'
)
DRAWING = (
    '<x:wsDr xmlns:x="x" xmlns:a="a"><x:sp><x:txBody><a:p><a:r><a:t>Ring Eva first.</a:t></a:r></a:p></x:txBody></x:sp>'
    "</x:wsDr>"
)


def sheet(content: str) -> str:
    return f"<sheetData>{content}</sheetData>"


def text(content: str, before: str = "", after: str = "", **parts: str) -> str:
    """The text of a workbook of one sheet."""
    (extract,) = parse_xlsx(io.BytesIO(workbook_of_parts({"S": f"{before}{sheet(content)}{after}"}, **parts)))
    return extract.text


def test_texts_may_stand_in_the_cells_though_the_workbook_names_a_list_of_texts():
    assert text(STAFF) == AS_TEXT


def test_a_workbook_of_the_strict_form_is_read():
    (extract,) = parse_xlsx(io.BytesIO(workbook_of_parts({"S": sheet(STAFF)}, strict=True)))
    assert (extract.title, extract.text) == ("S", AS_TEXT)


def test_names_in_the_archive_may_have_backslashes_and_other_capitals():
    with zipfile.ZipFile(io.BytesIO(workbook_of_parts({"S": sheet(STAFF)}))) as packed:
        members = {name.replace("/", "\\").replace("sheet", "Sheet"): packed.read(name) for name in packed.namelist()}
    assert parse_xlsx(io.BytesIO(archive(members)))[0].text == AS_TEXT


def test_a_workbook_with_a_password_is_said_to_be_encrypted():
    with pytest.raises(NotReadError, match="encrypted, or of an old format"):
        parse_xlsx(io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)))


def test_a_wrong_extent_of_the_sheet_hides_no_row():
    assert text(STAFF, before='<dimension ref="A1"/>') == AS_TEXT


def test_a_text_in_runs_is_one_with_its_superscripts_apart():
    runs = "<r><t>Area 10</t></r><r><rPr><vertAlign val='superscript'/></rPr><t>4</t></r><r><t xml:space='preserve'> m"
    runs += "</t></r><r><rPr><strike/></rPr><t> gone</t></r><rPh sb='0' eb='1'><t>reading</t></rPh>"
    assert text(f"<row><c t='inlineStr'><is>{runs}</is></c></row>") == "Area 10^4 m"
    strings = f"<sst><si>{runs}</si><si><t>two_x000D_\nlines</t></si></sst>"
    cells = "".join(f"<c t='s'><v>{number}</v></c>" for number in (0, 1, 7))
    assert text(f"<row>{cells}</row>", sharedStrings=strings) == "Area 10^4 m\ttwo lines"


def test_formulas_have_the_values_that_were_stored():
    cells = "<c t='str'><f>x</f><v>oak beam</v></c><c><f>SUM(A:A)</f><v>0.30000000000000004</v></c>"
    cells += "<c t='b'><f>1=2</f><v>0</v></c><c t='e'><v>#N/A</v></c><c t='str'><f>x</f><v></v></c>"
    assert text(f"<row>{cells}</row>") == "oak beam\t0.3\tFALSE\t#N/A"


def test_formulas_without_a_value_are_reported():
    content = sheet(f"{STAFF}<row r='5'><c r='B5'><f>1+1</f></c><c><f>B5</f><v/></c></row>")
    *_, extract = parse_xlsx(io.BytesIO(workbook_of_parts({"S": content, "T": sheet(STAFF)})))
    reason = "no value is stored for 2 formulas, first in B5; open the file in an office program and save it"
    assert extract.problems == [("sheet S", reason)]
    with pytest.raises(NotReadError, match="no value is stored for 1 formula, first in A1"):
        parse_xlsx(io.BytesIO(workbook_of_parts({"S": sheet("<row><c><f>1+1</f></c></row>")})))


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        ("43831", "mm-dd-yy", "2020-01-01"),
        ("43831.5", 'yyyy"年"m"月"d"日" h:mm', "2020-01-01 12:00"),
        ("0.34375", "h:mm", "08:15"),
        ("1.5", "[h]:mm", "36:00"),
        ("-3", "d/m/yyyy", "-3"),
        ("12.5", '"kr" #,##0.00', "kr 12.50"),
        ("-12.5", "[$€-407]#,##0.00;[Red]([$€-407]#,##0.00)", "-€12.50"),
        ("21", '0\\ "m"', "21 m"),
        ("501", "00000", "00501"),
        ("0.125", "0%", "12.5%"),
        ("0.07", "0.00%", "7%"),
        ("5", ";;;", ""),
        ("1250000", '0.0,,"M"', "1250000"),
        ("0.25", "# ?/?", "0.25"),
        ("1e21", "0", "1e+21"),
        ("3.14159", "0", "3.14159"),
        ("word", "0", "word"),
    ],
)
def test_numbers_are_written_as_their_format_says_with_all_their_digits(value, code, expected):
    assert shown_number(value, code) == expected


def test_formats_of_cells_are_those_of_the_styles_and_struck_text_is_left_out():
    cells = "".join(f"<c s='{style}'><v>43831</v></c>" for style in (0, 1, 2, 3, 99))
    assert text(f"<row>{cells}</row>", styles=STYLES) == "43831\t2020-01-01\tkr 43831.00\t43831"
    day = "<row><c s='1'><v>42369</v></c></row>"
    assert text(day, styles=STYLES, book='<workbookPr date1904="1"/>') == "2020-01-01"


def test_hidden_rows_and_columns_are_left_out_but_not_folded_or_filtered_ones():
    hidden = "<row r='2' hidden='1'><c t='inlineStr'><is><t>secret</t></is></c></row>"
    folded = "<row r='3' hidden='1' outlineLevel='1'><c t='inlineStr'><is><t>folded</t></is></c></row>"
    columns = "<cols><col min='2' max='2' hidden='1'/></cols>"
    assert text(row_of_texts("a", "b", "c") + hidden + folded, before=columns) == "a\tc\nfolded"
    filter = "<autoFilter ref='A1:B2'><filterColumn colId='0'/></autoFilter>"
    assert text(row_of_texts("a", "b") + hidden, after=filter) == "a\tb\nsecret"


def test_a_value_that_spans_rows_stands_in_each():
    rows = row_of_texts("Region", "City", "People")
    for number, (region, city, people) in enumerate([("North", "Orvik", 12), ("", "Sandby", 8)], start=2):
        first = f"<c r='A{number}' t='inlineStr'><is><t>{region}</t></is></c>" if region else ""
        rows += f"<row>{first}<c r='B{number}' t='inlineStr'><is><t>{city}</t></is></c><c><v>{people}</v></c></row>"
    merged = "<mergeCells><mergeCell ref='A2:A3'/></mergeCells>"
    expected = "Region: North; City: Orvik; People: 12\n\nRegion: North; City: Sandby; People: 8"
    assert text(rows, after=merged) == expected


def test_text_boxes_follow_the_rows():
    content = workbook_of_parts({"S": sheet(STAFF)}, **{"drawings/d": DRAWING})
    link = '<Relationships><Relationship Id="d" Type="x/drawing" Target="../drawings/d.xml"/></Relationships>'
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    members["xl/worksheets/_rels/sheet0.xml.rels"] = link.encode()
    assert parse_xlsx(io.BytesIO(archive(members)))[0].text == f"{AS_TEXT}\n\nRing Eva first."


def test_several_sheets_are_documents_and_hidden_ones_none():
    book = workbook_of_parts({"A": sheet(STAFF), "B": sheet(STAFF)})
    assert [extract.title for extract in parse_xlsx(io.BytesIO(book))] == ["A", "B"]
