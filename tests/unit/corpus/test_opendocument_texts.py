"""An OpenDocument text is what an office program shows: scripts, automatic numbers, formulas, nothing hidden."""

from __future__ import annotations

import io

import pytest

from opendpr.corpus.child import PARSER_MODULES
from opendpr.corpus.extract import Extract
from samples import archive

OASIS = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(
    f'xmlns:{short}="{OASIS}:{name}:1.0"'
    for short, name in (("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"), ("o", "office"))
)
LOOKS = {
    "Up": 'style:text-position="super 58%"',
    "High": 'style:text-position="33% 58%"',
    "Down": 'style:text-position="sub 58%"',
    "Base": 'style:text-position="0% 100%"',
    "Gone": 'text:display="none"',
    "Old": 'style:text-line-through-style="solid"',
}
STYLES = "".join(
    f'<style:style style:name="{name}" style:family="text"><style:text-properties {look}/></style:style>'
    for name, look in LOOKS.items()
)
STYLES += '<style:style style:name="Child" style:family="text" style:parent-style-name="Up"/>'


def level(kind: str, number: int, form: str, more: str = "") -> str:
    return f'<text:{kind} text:level="{number}" style:num-format="{form}" {more}/>'


NUMBERED = level("list-level-style-number", 1, "1", 'style:num-suffix="."')
NUMBERED += level("list-level-style-number", 2, "a", 'style:num-suffix=")" text:display-levels="2"')
LISTS = f'<text:list-style style:name="L">{NUMBERED}</text:list-style>'
LISTS += '<text:list-style style:name="B"><text:list-level-style-bullet text:level="1"/></text:list-style>'
HEADINGS = level("outline-level-style", 1, "I") + level("outline-level-style", 2, "1", 'text:display-levels="2"')
OUTLINE = f"<text:outline-style>{HEADINGS}</text:outline-style>"


def seen(body: str, own: str = STYLES + LISTS, named: str = OUTLINE, **parts: str) -> str:
    content = f"<o:document-content {SPACES}><o:automatic-styles>{own}</o:automatic-styles>{body}</o:document-content>"
    styles = f"<o:document-styles {SPACES}><o:styles>{named}</o:styles></o:document-styles>"
    extract = PARSER_MODULES["opendocument"](
        io.BytesIO(archive({"content.xml": content, "styles.xml": styles, **parts}))
    )
    assert isinstance(extract, Extract)
    return extract.text


def span(style: str, words: str) -> str:
    return f'<text:span text:style-name="{style}">{words}</text:span>'


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (f"in 1874{span('Up', '12')} by", "in 1874^12 by"),
        (f"in 1874{span('Up', '1')}{span('Child', '2')}.", "in 1874^12."),
        (f"10{span('High', '4')} m{span('Child', '2')}", "10^4 m^2"),
        (f"H{span('Down', '2')}O, 18{span('Base', '74')}", "H2O, 1874"),
        (f"a{span('Gone', 'b')}{span('Old', 'c')}d", "ad"),
        (f"a{span('Up', span('x', '2'))}", "a^2"),
        (
            "<text:ruby><text:ruby-base>東京</text:ruby-base><text:ruby-text>とう</text:ruby-text></text:ruby>",
            "東京(とう)",
        ),
        ('a<text:hidden-text text:is-hidden="true" text:string-value="x">x</text:hidden-text>b', "ab"),
    ],
)
def test_scripts_readings_and_hidden_text_are_as_their_styles_say(words, expected):
    assert seen(f"<text:p>{words}</text:p>") == expected


def items(*words: str, style: str = 'text:style-name="L"', more: str = "") -> str:
    written = "".join(f"<text:list-item {more}>{word}</text:list-item>" for word in words)
    return f"<text:list {style}>{written}</text:list>"


def p(words: str) -> str:
    return f"<text:p>{words}</text:p>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (items(p("a") + items(p("b") + p("c"), p("d"), style=""), p("e")), ["1. a", "1.a) b", "c", "1.b) d", "2. e"]),
        (items(p("a")) + p("x") + items(p("b")), ["1. a", "x", "1. b"]),
        (items(p("a")) + items(p("b"), style='text:style-name="L" text:continue-numbering="true"'), ["1. a", "2. b"]),
        (items(p("a"), more='text:start-value="7"'), ["7. a"]),
        (items(p("a"), style='text:style-name="B"'), ["a"]),
    ],
)
def test_lists_have_the_numbers_that_are_shown(body, expected):
    assert seen(body).split("\n\n") == expected


def test_headings_have_the_numbers_of_the_outline_unless_their_style_has_none():
    plain = '<style:style style:name="N" style:family="paragraph" style:list-style-name=""/>'
    body = "".join(
        f'<text:h text:outline-level="{number}" {more}>{words}</text:h>'
        for number, more, words in (
            *((1, "", "Ports"), (2, "", "Fees"), (2, "", "Hours"), (1, 'text:is-list-header="true"', "Notes")),
            *((1, 'text:style-name="N"', "Thanks"), (1, "", "<text:number>II</text:number>Boats")),
        )
    )
    expected = ["I Ports", "I.1 Fees", "I.2 Hours", "Notes", "Thanks", "II Boats"]
    assert seen(body, plain).split("\n\n") == expected
    assert seen(body, plain, named="").split("\n\n") == ["Ports", "Fees", "Hours", "Notes", "Thanks", "Boats"]


@pytest.mark.parametrize(
    "hidden",
    [
        '<text:section text:display="none"><text:p>gone</text:p></text:section>',
        '<text:p><text:hidden-paragraph text:is-hidden="true"/>gone</text:p>',
        '<text:p text:style-name="H2">gone</text:p>',
        '<table:table-row table:visibility="collapse"><table:table-cell><text:p>gone</text:p></table:table-cell>'
        "</table:table-row>",
        '<table:table table:style-name="T"><text:p>gone</text:p></table:table>',
    ],
)
def test_hidden_sections_paragraphs_rows_and_sheets_are_left_out(hidden):
    look = '<style:text-properties text:display="none"/>'
    named = f'<style:style style:name="H" style:family="paragraph">{look}</style:style>'
    own = '<style:style style:name="H2" style:family="paragraph" style:parent-style-name="H"/>'
    own += (
        '<style:style style:name="T" style:family="table"><style:table-properties table:display="false"/></style:style>'
    )
    assert seen(hidden + p("seen"), own, named) == "seen"


def test_a_formula_is_text_where_it_lies():
    math = '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi>'
    math += "<mn>2</mn></msup></mrow><annotation>E = m c^2</annotation></semantics></math>"
    link = '<draw:frame><draw:object xmlns:x="http://www.w3.org/1999/xlink" x:href="./Object 1"/></draw:frame>'
    assert seen(p(f"as {link}."), **{"Object 1/content.xml": math}) == "as E=mc^2."
    assert seen(p(f"as {link}."), **{"Object 1/content.xml": f"<o:chart {SPACES}>x</o:chart>"}) == "as ."


def cell(words: str, more: str = "") -> str:
    return f"<table:table-cell {more}>{p(words)}</table:table-cell>"


def test_a_value_that_spans_rows_stands_in_each():
    covered = "<table:covered-table-cell/>"
    rows = (
        (cell("2022", 'table:number-rows-spanned="2"'), cell("Isla"), cell("8:04", 'table:number-rows-spanned="2"')),
        (covered, cell("Tolu"), covered),
        (cell("2023"), cell("Asha"), cell("8:40")),
    )
    table = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
    spanning = cell("x", 'table:number-rows-spanned="9"')
    open_span = f"<table:table><table:table-row>{spanning}</table:table-row></table:table>"
    after = f"<table:table><table:table-row>{cell('y')}</table:table-row></table:table>"
    shown = "2022\tIsla\t8:04\n2022\tTolu\t8:04\n2023\tAsha\t8:40"
    assert seen(f"<table:table>{table}</table:table>") == shown
    assert seen(open_span + after) == "x\n\ny"
