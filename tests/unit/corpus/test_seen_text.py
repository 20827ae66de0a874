"""Text is what a reader of the page sees, and means the same: HTML and .epub."""

from __future__ import annotations

import io
import zipfile

import pytest

from samples import epub, text


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
        ("1874<sup>3</sup><sup>4</sup>, e<sup>iπ</sup>", "1874^3^4, e^iπ"),
        ("3<sup>1</sup>/<sub>2</sub> and <sup>1</sup>&frasl;<sub>4</sub> cups", "3 1/2 and 1⁄4 cups"),
        ("€ 12<sup>,50</sup> or $12<sup>50</sup>", "€ 12,50 or $12^50"),
        ("H<sub>2</sub>O, x<sub>1</sub>, log<sub>10</sub>100, 5<sub>3</sub>", "H2O, x1, log10 100, 5_3"),
    ],
)
def test_superscripts_and_note_marks_are_set_apart(page, expected):
    assert text("html", page) == expected
    assert text("epub", epub({"a.xhtml": f"<p>{page}</p>"})) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "<tr><td rowspan=2>2022<td>Isla<td>8:04<tr><td>Tolu<td>8:15<tr><td>2023<td>Asha<td>8:40",
            "2022\tIsla\t8:04\n2022\tTolu\t8:15\n2023\tAsha\t8:40",
        ),
        (
            "<tr><td>Isla<td rowspan=3> A <b>2</b><tr><td>Tolu<tr><td>Asha<tr><td>Bo",
            "Isla\tA 2\nTolu\tA 2\nAsha\tA 2\nBo",
        ),
        ("<tr><td colspan=2>x<td rowspan=2>y<tr><td>a<td>b", "x\ty\na\tb\ty"),
        ("<tr><td rowspan=0>x<td rowspan=2>y<td>1<tr><td>2<tr><td>z<td>3", "x\ty\t1\nx\ty\t2\nx\tz\t3"),
        (
            "<tr><td rowspan=2><table><tr><td rowspan=2>q<td>r<tr><td>s</table><td>t<tr><td>u",
            "q\tr\nq\ts\n\nt\nu",
        ),
        ("<tr><td rowspan=99999999999>x<td>1<tr><td>2", "x\t1\n2"),
        (
            "<tr><td rowspan=2>Oslo<b style='display:none'>no</b><script>var x</script><sup>2</sup><td>B<tr><td>D",
            "Oslo^2\tB\nOslo^2\tD",
        ),
        ("<tr><td rowspan=2 colspan=2>A<td>B<td rowspan=3>C<tr><td>X", "A\tB\tC\nA\tX\tC"),
        ("<tr><td rowspan=2><td>B<td rowspan=2>C<tr><td>D", "\tB\tC\n\tD\tC"),
    ],
)
def test_a_value_that_spans_rows_stands_in_each(rows, expected):
    assert text("html", f"<table>{rows}</table>") == expected


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
        (
            "<p style='color: transparent'>a<p style='color:rgba(0, 0, 0, 0)'>b<p style='background:transparent'>c",
            "c",
        ),
        ("<h1 style='color:transparent; background-clip: text'>a</h1>", "a"),
        ("<h1 style='color:transparent; text-shadow: 0 0 5px #000'>a</h1>", "a"),
        ("<h1 style='-webkit-text-stroke: 1px; color: transparent'>a</h1>", "a"),
        ("<style>.x {display:none}</style><p class=x style='display: block'>a<p class=x style='color: red'>b", "a"),
        ("<p class=d-none>a<p class='d-none d-md-block'>b<p class='d-md-none'>c", "b\n\nc"),
        (
            "Rated <i role=img aria-label='4 of 5 stars'></i> <span role=img aria-label=rocket>🚀</span>",
            "Rated 4 of 5 stars 🚀",
        ),
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
