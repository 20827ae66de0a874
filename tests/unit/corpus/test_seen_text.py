"""Text is what a reader of the page sees, and means the same: HTML, .docx and .epub."""

from __future__ import annotations

import io
import zipfile

import pypdf
import pytest
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, TextStringObject

from opendpr.corpus.child import PARSER_MODULES
from opendpr.corpus.extract import NotReadError
from opendpr.corpus.numerals import counted
from opendpr.corpus.running_lines import without_running_lines
from samples import W, docx, epub, paragraph, pdf

WORDS = ("first", "second", "third", "fourth", "fifth", "sixth")
MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def text(kind: str, content: bytes | str) -> str:
    found = PARSER_MODULES[kind](io.BytesIO(content.encode() if isinstance(content, str) else content))
    assert found.problems == []
    return found.text


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


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("finished in 1874<sup>12</sup> and", "finished in 1874^12 and"),
        ("1874<a href=#n><sup>12</sup></a>, at", "1874[12], at"),
        ("Strand<sup id=c><a href=#n4>4</a></sup>.", "Strand[4]."),
        ("keeper<sup class=reference>[3]</sup> was", "keeper[3] was"),
        ("10<sup>4</sup>5 m<sup>2</sup>", "10^4 5 m^2"),
        ("10<sup>−3</sup> and 2<sup>n+1</sup>", "10^−3 and 2^(n+1)"),
        ("the 1<sup>st</sup> of M<sup>me</sup> Curie, 3<sup>e</sup>", "the 1st of Mme Curie, 3e"),
        ("Nordan<sup>TM</sup> star<sup>*</sup> 31<sup>a</sup>", "Nordan TM star* 31^a"),
        ("Strand<sup>e</sup>, Lund<sup>ab</sup>, N<sup>o</sup> 5, XIX<sup>e</sup>", "Strand^e, Lund^ab, No 5, XIXe"),
        ("H<sub>2</sub>O, x<sub>1</sub>, log<sub>10</sub>100, 5<sub>3</sub>", "H2O, x1, log10 100, 5_3"),
    ],
)
def test_superscripts_and_note_marks_are_set_apart(page, expected):
    assert text("html", page) == expected
    assert text("epub", epub({"a.xhtml": f"<p>{page}</p>"})) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("a <p hidden>b</p><p style='color: red; DISPLAY : none'>c</p>d", "a d"),
        ("a<span style='visibility:hidden'>b</span>c", "ac"),
        ("a<p hidden=until-found>b</p>", "a\n\nb"),
        ("<dialog>cookies</dialog><dialog open>seen</dialog>a", "seen\n\na"),
        ("<del>40 crowns</del> <ins>55 crowns</ins> <s>7</s>", "55 crowns"),
        ("<style>.x, #y {display: none}</style><p class=x>a<p id=y>b<p>c", "c"),
        ("<style>.x{display:none} .open .x{display:block}</style><p class=x>a", "a"),
        ("<style>@media print { .x {display:none} }</style><p class=x>a", "a"),
        ("<span aria-hidden=true>55 crowns</span>", "55 crowns"),
        ("<p><template>a</template><noscript>b</noscript><script>c</script><video>d</video>e", "e"),
        ("Map: <img src=m.png alt='Orvik in 1902'>.", "Map: Orvik in 1902 ."),
        ("<img src=m.png alt=''>a", "a"),
        ("<input value=Jonas><input type=hidden value=x><input type=password value=y>", "Jonas"),
        ("<q>Ahoy</q> he said", "“Ahoy” he said"),
        ("<svg><title>Logo</title><text>Chart</text></svg>", "Logo Chart"),
        ("<h2>Ports<a class=headerlink href='#ports'>\uf0c1</a></h2>a", "Ports\n\na"),
        ("<dl><dt>listen<a href='#l'>¶</a><dd>a<dt><a href='#plus'>+</a><dd>b</dl>", "listen\na\n+\nb"),
        ("light&shy;house&#8203; &#x2060;a", "lighthouse a"),
    ],
)
def test_what_a_browser_hides_is_left_out_and_what_it_shows_is_text(page, expected):
    assert text("html", page) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<ol start=5><li>Five<li>Six</ol>", "5. Five\n6. Six"),
        ("<ol reversed><li>a<li>b</ol>", "2. a\n1. b"),
        ("<ol type=a><li value=3>c<li>d</ol>", "c. c\nd. d"),
        ("<ol><li>a<ol type=i><li>x<li>y</ol><li>b</ol>", "1. a\n\ni. x\nii. y\n\n2. b"),
        ("<ol style='list-style: none'><li>a</ol>", "a"),
        ("<ul><li>a</ul>", "a"),
    ],
)
def test_ordered_lists_have_the_numbers_that_a_browser_writes(page, expected):
    assert text("html", page) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<math><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>", "E=mc^2"),
        ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mi>b</mi></mfrac></math>", "(a+1)/b"),
        ("<math><semantics><msqrt><mi>x</mi></msqrt><annotation>\\sqrt x</annotation></semantics></math>", "√x"),
        ("<math><msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup></math>", "x_1^2"),
        ("<ruby>東<rp>(</rp><rt>とう</rt>京<rt>きょう</rt></ruby>", "東京(とうきょう)"),
    ],
)
def test_formulas_and_readings_are_text_on_one_line(page, expected):
    assert text("html", page) == expected


def test_a_formula_nested_without_end_is_read():
    assert text("html", "<math>" + "<mrow>" * 400 + "<mi>x</mi>") == "x"


def test_the_style_sheets_of_a_book_and_of_a_page_raise_and_hide():
    sheet = "/* notes */ .c5 { vertical-align: super; font-size: 0.7em } .c6, .c7 { display: none }"
    page = '<p>in 1874<span class="c5">12</span> <span class="c6">gone</span>seen</p>'
    book = io.BytesIO(epub({"a.xhtml": page}))
    with zipfile.ZipFile(book, "a") as packed:
        packed.writestr("OEBPS/style.css", sheet)
    assert text("epub", book.getvalue()) == text("html", f"<style>{sheet}</style>{page}") == "in 1874^12 seen"


# .docx


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


# PDF


def written(writer: pypdf.PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def writer(line: str) -> pypdf.PdfWriter:
    found = pypdf.PdfWriter()
    found.append(pypdf.PdfReader(io.BytesIO(pdf([line]))))
    return found


def dictionary(**values: object) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in values.items()})


def form(**values: str) -> bytes:
    """A form with a text field of each name and value."""
    made = writer("Application")
    fields = ArrayObject()
    for name, value in values.items():
        field = dictionary(
            Type=NameObject("/Annot"),
            Subtype=NameObject("/Widget"),
            FT=NameObject("/Tx"),
            T=TextStringObject(name),
            V=TextStringObject(value),
            Rect=ArrayObject(map(FloatObject, (0, 0, 90, 20))),
        )
        fields.append(made._add_object(field))
    made.pages[0][NameObject("/Annots")] = fields
    made._root_object[NameObject("/AcroForm")] = dictionary(Fields=fields)
    return written(made)


def test_the_values_of_a_filled_pdf_form_are_text():
    assert text("pdf", form(Owner="Åsa Lind", Berth="", Boat="Nordan")) == "Application\nOwner: Åsa Lind\nBoat: Nordan"


@pytest.mark.parametrize("method", ["RC4-128", "AES-128", "AES-256"])
def test_an_encrypted_pdf_opens_without_a_password_or_says_that_it_asks_for_one(method):
    for password in ("", "secret"):
        made = writer("Hello")
        made.encrypt(password, "owner", algorithm=method)
        if password:
            with pytest.raises(NotReadError, match="asks for a password"):
                text("pdf", written(made))
        else:
            assert text("pdf", written(made)) == "Hello"


def test_letters_that_a_pdf_sets_apart_by_their_places_are_words():
    """The line has no space character: the second word is only moved."""
    content = "BT /F1 12 Tf 20 100 Td (arrival) Tj 45 0 Td (of) Tj 18 0 Td (mail) Tj ET"
    stream = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    assert text("pdf", pdf(["x"], extra={5: stream})) == "arrival of mail"


def test_digits_that_a_pdf_writes_small_and_high_are_set_apart():
    up, down, back = "/F1 7 Tf 5 Ts", "/F1 7 Tf -3 Ts", "/F1 12 Tf 0 Ts"
    year = f"BT /F1 12 Tf 20 100 Td (in 1874) Tj {up} (12) Tj {back} ( H) Tj {down} (2) Tj {back} (O, 10) Tj"
    content = f"{year} {up} (-3) Tj {back} (kg 12) Tj /F1 9 Tf (34) Tj ET"
    stream = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    assert text("pdf", pdf(["x"], extra={5: stream})) == "in 1874^12 H2O, 10^-3 kg 1234"


def test_headers_and_footers_that_repeat_on_pages_are_there_once():
    pages = [f"Harbour rules\nText of {name} page.\nPage {number}" for number, name in enumerate(WORDS, start=1)]
    kept, left_out = without_running_lines(pages)
    assert kept == ["Harbour rules\nText of first page.\nPage 1", *(f"Text of {name} page." for name in WORDS[1:])]
    assert left_out.total() == 10
    assert left_out["Harbour rules"] == 5


def test_lines_of_few_pages_and_lines_in_the_middle_are_kept():
    few = ["Harbour rules\nText."] * 3
    assert without_running_lines(few)[0] == few
    middle = ["\n".join([word, word * 2, word * 3, "the same", word * 4, word * 5, word * 6]) for word in WORDS]
    assert without_running_lines(middle)[0] == middle


def test_rows_of_numbers_at_the_edges_of_pages_are_kept():
    rows = [f"Berth {number} {number * 7} {number * 9}\nText of {name} page." for number, name in enumerate(WORDS)]
    assert without_running_lines(rows)[0] == rows


ORVIK = """<!DOCTYPE html><html><head><meta charset=utf-8><title>Orvik</title></head><body>
<nav><ul><li><a href=#>Home</a></li><li><a href=#>Contact</a></li></ul></nav>
<p>The lighthouse keeper<a href="#n1"><sup>[3]</sup></a> was Olaf Strand<sup id="cite"><a href="#n4">4</a></sup>.</p>
<p>The price is <del>40 crowns</del> <ins>55 crowns</ins> for adults.</p>
<p hidden>The secret master of the harbour is Nils Ek.</p>
<p style="display:none">The price is 99 crowns for members.</p>
<dialog>Please accept our cookies.</dialog>
<img src=map.png alt="Map of Orvik harbour drawn by Ebba Lund in 1902">
<table><tr><th>Name<th>Year</tr><tr><td>Pier<td>1874</tr></table>
<p>First line<br>second line</p>
<p><input value="Jonas"> <button>Send</button> <select><option>Red<option>Blue</select></p>
<math><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>
<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>
<ol start=5><li>Five things</li><li>Six things</li></ol>
<dl><dt>Bollard<dd>A post for ropes.</dl>
<!-- comment --><p>A&shy;B &nbsp; c&#8203;d &hellip; &unknown; 5 &lt; 6</p>
</body></html>"""
ORVIK_SEEN = [
    "The lighthouse keeper[3] was Olaf Strand[4].",
    "The price is 55 crowns for adults.",
    "Map of Orvik harbour drawn by Ebba Lund in 1902",
    "Name\tYear\nPier\t1874",
    "First line\nsecond line",
    "Jonas Send\nRed\nBlue",
    "E=mc^2 漢(かん)",
    "5. Five things\n6. Six things",
    "Bollard\nA post for ropes.",
    "AB \xa0 cd … &unknown; 5 < 6",
]


def test_a_page_with_much_that_is_hidden_and_written_specially_is_what_a_reader_sees():
    assert text("html", ORVIK).split("\n\n") == ORVIK_SEEN


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


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ('in 1874<span style="vertical-align: super">12</span>', "in 1874^12"),
        ('CO<span style="vertical-align:sub">2</span>', "CO2"),
        ('in 1874<a role=doc-noteref href="#n">12</a>', "in 1874[12]"),
        ('in 1874<a role=doc-noteref href="#n"><sup>12</sup></a>', "in 1874[12]"),
        ('in 1874 <span style="opacity: 0">gone</span>seen', "in 1874 seen"),
        ('in 1874 <span style="font-size:0px;">gone</span>seen', "in 1874 seen"),
        ('in 1874 <span style="opacity: 0.5">pale</span>', "in 1874 pale"),
        ('in 1874<span class="calibre superscript">12</span>', "in 1874^12"),
        ('in 1874<a epub:type="noteref" href="#n">12</a>', "in 1874[12]"),
        ('in 1874 <span style="width:0; height:0; overflow:hidden">gone</span>seen', "in 1874 seen"),
        ('in 1874 <span style="height:0">seen</span>', "in 1874 seen"),
        ('in 1874 <span style="position:absolute; left:-9999px">gone</span>seen', "in 1874 seen"),
        ('in 1874 <span style="margin-left:-10px">seen</span>', "in 1874 seen"),
        ('in 1874 <span style="clip: rect(0 0 0 0)">gone</span>seen', "in 1874 seen"),
        ('in 1874 <span style="text-decoration: line-through">gone</span>seen', "in 1874 seen"),
        ('in 1874 <span class="sr-only">gone</span><i popover>gone</i>seen', "in 1874 seen"),
        ("<style>.a .b {left: -1000em}</style><i class=a><i class=b>gone</i></i>in 1874", "in 1874"),
        ("<style>.a .b {display:none} .a:hover .b {display:block}</style><i class=b>seen</i>", "seen"),
        ("at <meter value=3>3 of 5</meter><progress>1</progress>noon", "at noon"),
    ],
)
def test_styles_and_roles_raise_lower_and_hide_as_elements_do(body, seen):
    assert text("html", f"<p>{body}</p>") == seen
