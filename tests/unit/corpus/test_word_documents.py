"""A Word document is what Word shows: values of fields and controls, changes as they are now, numbers and notes."""

from __future__ import annotations

import io

import pytest

from opendpr.corpus.child import PARSER_MODULES
from opendpr.corpus.extract import Extract
from samples import W, archive

MATH_SPACE = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
BEGIN, SEPARATE, END = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end"))


def seen(body: str, **parts: str) -> str:
    document = f'<w:document xmlns:w="{W}" {MATH_SPACE}><w:body>{body}</w:body></w:document>'
    members = {f"word/{name}.xml": f'<w:{name} xmlns:w="{W}">{content}</w:{name}>' for name, content in parts.items()}
    extract = PARSER_MODULES["docx"](io.BytesIO(archive({"word/document.xml": document, **members})))
    assert isinstance(extract, Extract)
    return extract.text


def run(words: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{words}</w:t></w:r>'


def paragraph(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def told(words: str) -> str:
    return f"<w:r><w:instrText>{words}</w:instrText></w:r>"


def form_field(data: str, kind: str) -> str:
    begin = f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>'
    return begin + told(kind) + SEPARATE + END


def control(properties: str, content: str) -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


BERTHS = '<w:listItem w:displayText="A1" w:value="1"/><w:listItem w:displayText="B2" w:value="2"/>'
CHOICE = f'<w:dropDownList w:lastValue="2">{BERTHS}</w:dropDownList>'
ENTRIES = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="A1"/><w:listEntry w:val="B2"/></w:ddList>'


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (control(CHOICE, run("B2")), "B2"),
        (control(CHOICE, ""), "B2"),
        (control(f"<w:showingPlcHdr/>{CHOICE}", run("Choose an item.")), ""),
        (control("<w:rPr><w:vanish/></w:rPr><w:date/>", run("6 January 2020")), "6 January 2020"),
        (form_field(ENTRIES, "FORMDROPDOWN"), "B2"),
        (form_field('<w:checkBox><w:default w:val="0"/><w:checked/></w:checkBox>', "FORMCHECKBOX"), "☒"),
        (form_field('<w:checkBox><w:default w:val="0"/></w:checkBox>', "FORMCHECKBOX"), "☐"),
        (BEGIN + told("PAGEREF x") + SEPARATE + run("17") + END, "17"),
        (
            BEGIN + told("IF") + BEGIN + told("MERGEFIELD") + SEPARATE + run("female") + END + told('= "female" "Ms"')
            + SEPARATE + run("Ms") + END,
            "Ms",
        ),
    ],
)  # fmt: skip
def test_fields_and_controls_have_their_values_and_not_their_instructions(runs, expected):
    assert seen(paragraph(run("a "), runs, run(" b"))) == f"a {expected} b"


def test_a_field_that_does_not_end_hides_its_paragraph_alone():
    assert seen(paragraph(run("a"), BEGIN, told("IF"), run("lost")) + paragraph(run("b"))) == "a\n\nb"


def test_how_text_looked_before_a_tracked_change_does_not_count():
    before = (
        '<w:pPrChange><w:pPr><w:pStyle w:val="Heading1"/><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:pPrChange>'
    )
    look = '<w:b/><w:rPrChange><w:rPr><w:strike/><w:vertAlign w:val="superscript"/></w:rPr></w:rPrChange>'
    numbers = listing(level(0, "decimal", "%1."))
    assert seen(paragraph(run("in 12", look), properties=before), numbering=numbers) == "in 12"


def test_character_styles_raise_strike_and_hide_as_properties_do():
    styles = "".join(
        f'<w:style w:styleId="{name}"><w:rPr>{properties}</w:rPr></w:style>'
        for name, properties in (
            ("Up", '<w:vertAlign w:val="superscript"/>'),
            ("Old", "<w:strike/>"),
            ("Not", "<w:vanish/>"),
        )
    )
    runs = run("1874"), run("12", '<w:rStyle w:val="Up"/>'), run("old", '<w:rStyle w:val="Old"/>')
    assert seen(paragraph(*runs, run("x", '<w:rStyle w:val="Not"/>')), styles=styles) == "1874^12"


@pytest.mark.parametrize("properties", ['<w:vertAlign w:val="superscript"/>', '<w:position w:val="6"/>'])
def test_a_superscript_in_several_runs_is_one(properties):
    assert seen(paragraph(run("1874"), run("1", properties), run("2", properties), run("."))) == "1874^12."


@pytest.mark.parametrize("mark", ["<w:hidden/>", '<w:cantSplit/><w:del w:id="1" w:author="x"/>'])
def test_a_hidden_or_deleted_row_of_a_table_is_left_out(mark):
    rows = "".join(
        f"<w:tr><w:trPr>{properties}</w:trPr><w:tc>{paragraph(run(words))}</w:tc></w:tr>"
        for words, properties in (("gone", mark), ("seen", ""))
    )
    assert seen(f"<w:tbl>{rows}</w:tbl>") == "seen"


def test_a_hidden_row_stays_hidden_after_a_table_in_it():
    inner = f"<w:tbl><w:tr><w:tc>{paragraph(run('inner'))}</w:tc></w:tr></w:tbl>"
    gone = f"<w:tr><w:trPr><w:hidden/></w:trPr><w:tc>{inner}{paragraph(run('gone'))}</w:tc></w:tr>"
    assert seen(f"<w:tbl>{gone}<w:tr><w:tc>{paragraph(run('seen'))}</w:tc></w:tr></w:tbl>") == "seen"


def test_a_row_of_which_text_was_deleted_stays():
    earlier = '<w:trPrChange><w:trPr><w:del w:id="3"/></w:trPr></w:trPrChange>'
    cell = f"<w:tc>{paragraph('<w:del><w:r><w:t>old</w:t></w:r></w:del>', run('new'))}</w:tc>"
    assert seen(f'<w:tbl><w:tr><w:trPr><w:ins w:id="1"/>{earlier}</w:trPr>{cell}</w:tr></w:tbl>') == "new"


def level(number: int, style: str, shape: str, more: str = "") -> str:
    return f'<w:lvl w:ilvl="{number}"><w:numFmt w:val="{style}"/>{more}<w:lvlText w:val="{shape}"/></w:lvl>'


def listing(levels: str, more: str = "") -> str:
    first = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    return f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>{first}{more}'


def listed(words: str, number: int = 1, level: int = 0) -> str:
    place = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return paragraph(run(words), properties=place)


def test_levels_may_be_legal_hidden_or_go_on_after_those_above():
    levels = level(0, "upperRoman", "%1.") + level(1, "decimal", "%1.%2", '<w:isLgl/><w:lvlRestart w:val="0"/>')
    levels += level(2, "decimal", "%3", "<w:rPr><w:vanish/></w:rPr>")
    body = listed("a") + listed("b", level=1) + listed("c", level=2) + listed("d") + listed("e", level=1)
    assert seen(body, numbering=listing(levels)).split("\n\n") == ["I. a", "1.1 b", "c", "II. d", "2.2 e"]


def test_a_list_may_have_levels_of_its_own_or_those_of_a_style():
    other = f"<w:lvlOverride>{level(0, 'upperLetter', '%1)')}</w:lvlOverride>"
    own = f'<w:num w:numId="2"><w:abstractNumId w:val="0"/>{other}</w:num>'
    linked = '<w:abstractNum w:abstractNumId="7"><w:numStyleLink w:val="L"/></w:abstractNum>'
    linked += '<w:num w:numId="3"><w:abstractNumId w:val="7"/></w:num>'
    styles = '<w:style w:styleId="L"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    body = listed("a") + listed("b", 2) + listed("c", 3)
    numbers = listing(level(0, "decimal", "%1."), own + linked)
    assert seen(body, numbering=numbers, styles=styles).split("\n\n") == ["1. a", "B) b", "3. c"]


def test_notes_that_nothing_refers_to_are_left_out_and_marks_of_their_own_stay():
    note = '<w:footnote w:id="{}">' + paragraph(run("{}")) + "</w:footnote>"
    notes = "".join(note.format(*pair) for pair in ((1, "* Free."), (2, "Paid."), (3, "orphan"), (4, "deleted")))
    body = paragraph(
        run("a"),
        '<w:r><w:footnoteReference w:id="1" w:customMarkFollows="1"/><w:t>*</w:t></w:r>',
        '<w:del><w:r><w:footnoteReference w:id="4"/></w:r></w:del><w:r><w:footnoteReference w:id="2"/></w:r>',
    )
    assert seen(body, footnotes=notes) == "a*[1]\n\n* Free.\n\n[1] Paid."


def math(words: str) -> str:
    return f"<m:r><m:t>{words}</m:t></m:r>"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (
            f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{math("i=1")}</m:sub><m:sup>{math("n")}</m:sup>'
            f"<m:e>{math('i')}</m:e></m:nary>",
            "∑_(i=1)^n i",
        ),
        (f"<m:nary><m:sub/><m:sup/><m:e>{math('x')}</m:e></m:nary>", "∫ x"),
        (
            f'<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr><m:e>{math("a+b")}</m:e></m:d>',
            "[a+b]",
        ),
        (f"<m:d><m:e>{math('a')}</m:e></m:d>", "(a)"),
        (f"<m:func><m:fName>{math('sin')}</m:fName><m:e>{math('x')}</m:e></m:func>", "sin x"),
        (
            f"<m:m><m:mr><m:e>{math('1')}</m:e><m:e>{math('2')}</m:e></m:mr><m:mr><m:e>{math('3')}</m:e></m:mr></m:m>",
            "[1 2; 3]",
        ),
        (f"<m:limLow><m:e>{math('lim')}</m:e><m:lim>{math('n')}</m:lim></m:limLow>", "lim_n"),
        (f"<m:acc><m:e>{math('x')}</m:e></m:acc>", "x̂"),
    ],
)
def test_formulas_keep_the_signs_that_their_properties_name(formula, expected):
    assert seen(paragraph(f"<m:oMath>{formula}</m:oMath>")) == expected


def cell(words: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(run(words)) if words else '<w:p/>'}</w:tc>"


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(cells)}</w:tr>"


def test_a_value_that_spans_rows_stands_in_each():
    begins, goes_on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    first = (
        row(cell("2022", begins), cell("Isla"), cell("8:04", begins)),
        row(cell("", goes_on), cell("Tolu"), cell("", goes_on)),
        row(cell("2023"), cell("wide", '<w:gridSpan w:val="2"/>')),
        row(cell(""), cell("x"), cell("", goes_on)),
    )
    tables = f"<w:tbl>{''.join(first)}</w:tbl><w:tbl>{row(cell('', goes_on), cell('y'))}</w:tbl>"
    assert seen(tables) == "2022\tIsla\t8:04\n2022\tTolu\t8:04\n2023\twide\n\tx\t\n\n\ty"
