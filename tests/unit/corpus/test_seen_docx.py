"""Text of .docx is what a reader of the page sees: what is deleted, hidden, numbered and set apart."""

from __future__ import annotations

import pytest

from opendpr.corpus.numerals import counted
from samples import W, docx, paragraph, text

MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def run(words: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{words}</w:t></w:r>'


def off(name: str) -> str:
    return f'<w:{name} w:val="0"/>'


def styled(style: str, words: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{run(words)}</w:p>'


def listed(words: str, number: int = 1, level: int = 0) -> str:
    properties = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return f"<w:p><w:pPr>{properties}</w:pPr>{run(words)}</w:p>"


def level(number: int, style: str, shape: str, start: int = 1) -> str:
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="{start}"/><w:numFmt w:val="{style}"/>'
        f'<w:lvlText w:val="{shape}"/></w:lvl>'
    )


def numbering(levels: str, nums: str = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>') -> str:
    abstract = f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>'
    return f'<w:numbering xmlns:w="{W}">{abstract}{nums}</w:numbering>'


def test_docx_moved_and_deleted_text_is_where_it_is_now():
    moved = run("The rent is 900 crowns.")
    body = (
        f'<w:p><w:moveFrom w:id="1">{moved}</w:moveFrom></w:p>{paragraph("Paid in advance.")}'
        f'<w:p><w:moveTo w:id="2">{moved}</w:moveTo></w:p><w:p><w:del>{run("gone")}</w:del></w:p>'
        f"<w:p>{run('struck', '<w:strike/>')}{run('kept', off('strike'))}</w:p>"
    )
    assert text("docx", docx(body)) == "Paid in advance.\n\nThe rent is 900 crowns.\n\nkept"


def test_docx_a_deleted_paragraph_mark_joins_two_paragraphs():
    body = f"<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>{run('one ')}</w:p>{paragraph('two')}"
    assert text("docx", docx(body)) == "one two"


def test_docx_automatic_numbers_are_written_before_their_paragraphs():
    levels = level(0, "decimal", "§ %1") + level(1, "lowerLetter", "%1.%2)") + level(2, "bullet", "\uf0b7")
    body = listed("Rent") + listed("Due", level=1) + listed("Late", level=1) + listed("dot", level=2)
    body += listed("") + listed("Deposit") + listed("Back", level=1) + listed("plain", number=0)
    expected = "§ 1 Rent\n\n1.a) Due\n\n1.b) Late\n\ndot\n\n§ 3 Deposit\n\n3.a) Back\n\nplain"
    assert text("docx", docx(body, numbering=numbering(levels))) == expected


def test_docx_numbers_come_from_styles_too_and_may_start_again():
    styles = (
        f'<w:styles xmlns:w="{W}"><w:style w:styleId="H1"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
        '</w:style><w:style w:styleId="H2"><w:basedOn w:val="H1"/><w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr></w:pPr>'
        '</w:style><w:style w:styleId="Note"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>'
    )
    nums = (
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>'
    )
    levels = level(0, "upperRoman", "%1.") + level(1, "decimalZero", "%1.%2")
    body = styled("H1", "Ports") + styled("H2", "Fees") + styled("Note", "secret") + listed("Again", number=2)
    content = docx(body, styles=styles, numbering=numbering(levels, nums))
    assert text("docx", content) == "I. Ports\n\nI.01 Fees\n\nVII. Again"


def test_docx_drop_caps_hidden_text_symbols_and_scripts():
    cap = f'<w:p><w:pPr><w:framePr w:dropCap="drop" w:lines="3"/></w:pPr>{run("E")}</w:p>'
    symbols = '<w:r><w:sym w:font="Symbol" w:char="F061"/><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>'
    year = run("In 1874") + run("12", '<w:vertAlign w:val="superscript"/>') + run("H")
    year += run("2", '<w:vertAlign w:val="subscript"/>') + run("O")
    body = cap + paragraph("lias Berg") + f"<w:p>{run('a', '<w:vanish/>')}{run('b', off('vanish'))}</w:p>"
    body += f"<w:p>{symbols}</w:p><w:p>{year}</w:p>"
    assert text("docx", docx(body)) == "Elias Berg\n\nb\n\nα✓\n\nIn 1874^12 H2O"


def test_docx_notes_have_their_numbers_and_formulas_are_text():
    reference = '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:footnoteReference w:id="9"/></w:r>'
    power = (
        f"<m:oMath {MATH}><m:sSup><m:e><m:r><m:t>c</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
        "<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>"
    )
    notes = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="9">{paragraph("Free.")}</w:footnote></w:footnotes>'
    body = f"<w:p>{run('120 crowns')}{reference}{run('.')}</w:p><w:p>{power}</w:p>"
    assert text("docx", docx(body, footnotes=notes)) == "120 crowns[1].\n\nc^2(a+b)/2\n\n[1] Free."


@pytest.mark.parametrize(
    ("number", "style", "written"),
    [
        *((4, "decimal", "4"), (4, "decimalZero", "04"), (27, "lowerLetter", "aa"), (1994, "upperRoman", "MCMXCIV")),
        *((0, "lowerRoman", "0"), (-1, "upperLetter", "-1"), (3, "hebrew1", "3")),
    ],
)
def test_numbers_are_counted_as_lists_do(number, style, written):
    assert counted(number, style) == written


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (
            f'<w:p><w:ins w:id="1">{run("new ")}</w:ins><w:del w:id="2">{run("old")}</w:del>{run("end")}</w:p>',
            "new end",
        ),
        (
            '<w:p><w:pPr><w:framePr w:dropCap="margin"/></w:pPr>' + run("“E") + f"</w:p><w:p>{run('lias')}</w:p>",
            "“Elias",
        ),
        (f"<w:p>{run('gone', '<w:dstrike/>')}{run('seen')}</w:p>", "seen"),
        ('<w:p><w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r></w:p>', "✓"),
        (f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph('in a control')}</w:sdtContent></w:sdt>", "in a control"),
    ],
    ids=["insertion", "drop cap in the margin", "double strike", "Wingdings", "content control"],
)
def test_docx_other_forms_of_what_word_shows_and_hides(body, seen):
    assert text("docx", docx(body)) == seen
