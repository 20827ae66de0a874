"""HTML, PDF, .docx, .epub, tables and WikiExtractor's output, each by hand; and files made to do harm."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest

from corpora import read_corpus
from opendpr.corpus import CLEANED_OUT, Corpus, Skipped
from opendpr.corpus.events import Events
from opendpr.storage.compression import COMPRESSED, zstd
from opendpr.types import Document
from samples import docx, epub, paragraph, pdf

PAGE = "<!doctype html><title> My\n page</title><p>one"
SAMPLES = {
    ".html": (PAGE.encode(), "My page", "one"),
    ".pdf": (pdf(["Hello", "", "world"]), "a", "Hello\n\nworld"),
    ".docx": (docx(paragraph("one") + paragraph("two"), "Title"), "Title", "one\n\ntwo"),
    ".epub": (epub({"a.xhtml": "<p>one</p>", "b.xhtml": "<p>two</p>"}), "A book", "one\n\ntwo"),
    ".csv": (b"id,title,text\n7,A,one\n", "A", "one"),
    ".tsv": (b'id\ttext\ttitle\n7\t"""one"" two"\tA\n', "A", '"one" two'),
}


def read(directory: Path, name: str, content: bytes | str) -> tuple[list[Document], Events]:
    path = directory / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    events = read_corpus(Corpus([path]))
    return events.documents, events


def text(directory: Path, name: str, content: bytes | str) -> str:
    documents, events = read(directory, name, content)
    assert events.skipped == []
    return documents[0].text


def reason(directory: Path, name: str, content: bytes | str) -> str:
    documents, events = read(directory, name, content)
    assert documents == []
    assert len(events.skipped) == 1
    assert events.skipped[0].place.startswith(str(directory / name))
    return events.skipped[0].reason


@pytest.mark.parametrize("suffix", SAMPLES)
@pytest.mark.parametrize("ending", ["", *COMPRESSED])
def test_every_kind_is_read_compressed_or_not(tmp_path, suffix, ending):
    content, title, expected = SAMPLES[suffix]
    path = tmp_path / f"a{suffix}{ending}"
    with COMPRESSED.get(ending, open)(path, "wb") as file:
        file.write(content)
    events = read_corpus(Corpus([tmp_path]))
    assert [(document.title, document.text) for document in events.documents] == [(title, expected)]
    assert events.skipped == []


def test_compressed_frames_after_another_are_one_file(tmp_path):
    assert text(tmp_path, "a.txt.zst", zstd.compress(b"one ") + zstd.compress(b"two")) == "one two"


# HTML


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<h1>Head</h1><p>one <b>two</b>three<p>four", "Head\n\none twothree\n\nfour"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<ul><li>a<li> b \n c</ul>d", "a\nb c\n\nd"),
        ("<table><tr><td>1<td>2<tr><td>3<td>4</table>", "1\t2\n3\t4"),
        ("x<pre>a\n  b\t</pre>y", "x\n\na\n  b\t\n\ny"),
        ("a<script>s</script><style>s</style><template>t</template><noscript>n</noscript><!-- c -->b", "ab"),
        ("<head><title>t</title></head>&eacute;&amp;&#x1F600;&nbsp;", "é&😀\u00a0"),
        ("a<span> </span>b", "a b"),
        ("no tags at all < 3", "no tags at all < 3"),
        ("<div>" * 5_000 + "deep", "deep"),
    ],
)
def test_html_keeps_blocks_apart_and_drops_what_is_not_text(tmp_path, page, expected):
    assert text(tmp_path, "a.html", page) == expected


@pytest.mark.parametrize(
    "page",
    [
        "<meta charset=utf-8><p>é",
        codecs.BOM_UTF8 + "<meta charset=latin-1><p>é".encode(),
        codecs.BOM_UTF16_LE + "<p>é".encode("utf-16-le"),
        "<meta charset='iso-8859-1'><p>é".encode("latin-1"),
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>é'.encode("cp1252"),
        '<?xml version="1.0" encoding="ISO-8859-1"?><p>é'.encode("latin-1"),
        "<meta charset=nonsense><p>é",
        "<meta charset=utf-16><p>é",
        "<meta charset=unicode_escape><p>é",
    ],
)
def test_html_says_its_charset(tmp_path, page):
    assert text(tmp_path, "a.html", page) == "é"


def test_html_that_cannot_be_decoded_or_is_empty_is_skipped(tmp_path):
    assert reason(tmp_path, "a.html", "<p>东京".encode("gbk")).startswith("not valid UTF-8")
    assert reason(tmp_path, "b.html", b"a\0b") == "binary file"
    assert reason(tmp_path, "c.html", "<title>only</title><script>1</script>") == "no text"


# PDF


def test_pdf_says_where_pages_begin(tmp_path):
    document = read(tmp_path, "a.pdf", pdf(["Hello", "", "big world"]))[0][0]
    assert document.metadata["page_starts"] == [0, 6, 7]
    assert [document.text[start:].split("\n")[0] for start in (0, 6, 7)] == ["Hello", "", "big world"]


def test_a_pdf_of_pictures_is_said_to_have_no_text(tmp_path):
    assert reason(tmp_path, "a.pdf", pdf(["", ""])).startswith("no text (a scanned PDF?")


def test_a_page_that_cannot_be_read_costs_that_page(tmp_path):
    content = pdf(["Hello", "lost", "world"], extra={6: "(not a page)"})
    documents, events = read(tmp_path, "a.pdf", content)
    assert [document.text for document in documents] == ["Hello\n\nworld"]
    assert [entry.place for entry in events.skipped] == [f"{tmp_path / 'a.pdf'}, page 2"]


# .docx and .epub


def test_docx_tables_breaks_notes_and_alternatives(tmp_path):
    cell = "<w:tc>" + paragraph("1") + paragraph("2") + "</w:tc>"
    alternative = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>'
        f"{paragraph('new')}</mc:Choice><mc:Fallback>{paragraph('old')}</mc:Fallback></mc:AlternateContent>"
    )
    line = "<w:p><w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:tab/><w:delText>gone</w:delText><w:t>c</w:t></w:r></w:p>"
    body = line + f"<w:tbl><w:tr>{cell}{cell}</w:tr><w:tr>{cell}</w:tr></w:tbl>" + alternative
    notes = f'<w:footnotes xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main">{paragraph("note")}</w:footnotes>'
    assert text(tmp_path, "a.docx", docx(body, footnotes=notes)) == "a\nb\tc\n\n1 2\t1 2\n1 2\n\nnew\n\nnote"


def test_epub_is_read_in_the_order_of_its_spine(tmp_path):
    pages = {"z%20z.xhtml": "<html><head><title/><script/></head><body><p>one</p></body></html>", "a.xhtml": "<p>two"}
    assert text(tmp_path, "a.epub", epub(pages)) == "one\n\ntwo"


def test_a_page_of_a_book_named_by_its_sections_is_read_once(tmp_path):
    content = epub({"a.xhtml": "<p>one</p>", "a.xhtml#o8": "", "b.xhtml": "<p>two</p>"})
    assert text(tmp_path, "a.epub", content) == "one\n\ntwo"


def test_an_encrypted_book_is_skipped(tmp_path):
    key = '<e xmlns="http://www.w3.org/2001/04/xmlenc#"><CipherReference URI="OEBPS/a.xhtml"/></e>'
    assert reason(tmp_path, "a.epub", epub({"a.xhtml": "<p>x"}, encryption=key)) == "an encrypted book (DRM)"


# Tables


def test_columns_make_documents_and_metadata(tmp_path):
    content = codecs.BOM_UTF8 + 'id, text ,year,code,note\nx,"a\r\nb, ""c""",1990,007,\n\ny,second,1.5,-3,é\n'.encode()
    documents, events = read(tmp_path, "a.csv", content)
    path = str(tmp_path / "a.csv")
    assert documents == [
        Document("x", "", 'a\r\nb, "c"', {"year": 1990, "code": "007", "path": path}),
        Document("y", "", "second", {"year": 1.5, "code": -3, "note": "é", "path": path}),
    ]
    assert events.skipped == []


def test_rows_without_id_are_numbered_and_bad_rows_named_by_line(tmp_path):
    documents, events = read(tmp_path, "a.csv", b'title,text\nA,"x\ny"\nB\n\nC,\xff\nD,\xc3\xa9\n')
    assert [(document.id, document.title) for document in documents] == [("a.csv:1", "A"), ("a.csv:4", "D")]
    assert events.skipped == [
        Skipped(f"{tmp_path / 'a.csv'}:4", "expected 2 fields as in the header, found 1"),
        Skipped(f"{tmp_path / 'a.csv'}:6", "not valid UTF-8; convert the file to UTF-8"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "no text"),
        (b" , \n", "no text"),
        (b"text,a,a\n1,2,3\n", "two columns have the same name"),
        (b"id,text\n,x\n", 'expected "id" to say something'),
        (b"id,text\n1, \n", "no text"),
        (b'text\n"' + b"x\n" * 5_100_000, "field larger than field limit (10000000) (a stray or unclosed"),
        (b"text\n" + b"x" * 10_000_001, "line 2 has more than 10,000,000 characters"),
        (codecs.BOM_UTF16_LE + "text\nab".encode("utf-16-le")[:-1], "not valid UTF-16-LE"),
        (b"a\0b", "binary file"),
    ],
)
def test_tables_that_make_no_sense_are_skipped(tmp_path, content, expected):
    assert reason(tmp_path, "a.csv", content).startswith(expected)


def test_the_released_passages_of_wikipedia_are_one_document_a_row(tmp_path):
    content = 'id\ttext\ttitle\n1\t"Aaron ""Ahar\'n"" is a prophet"\tAaron\nwiki:2\tplain "words"\t"A ""B"""\n'
    path = {"path": str(tmp_path / "psgs_w100.tsv")}
    assert read(tmp_path, "psgs_w100.tsv", content)[0] == [
        Document("1", "Aaron", 'Aaron "Ahar\'n" is a prophet', path),
        Document("wiki:2", 'A "B"', 'plain "words"', path),
    ]


def test_semicolons_bars_and_tabs_separate_too(tmp_path):
    assert text(tmp_path, "a.csv", "id;text\n1;x,y\n") == "x,y"
    assert text(tmp_path, "a.csv", "id|text\n1|x,y\n") == "x,y"
    assert text(tmp_path, "a.csv", "sep=^\nid^text\n1^x,y\n") == "x,y"
    assert text(tmp_path, "a.csv", "text\n\nA line.\n\n") == "A line."
    assert text(tmp_path, "b.csv", codecs.BOM_UTF16_LE + "id\ttext\n1\tx\n".encode("utf-16-le")) == "x"


def test_columns_have_the_names_that_people_give_them(tmp_path):
    documents = read(tmp_path, "a.csv", "DocID,Heading,Page_Content,text_length\n7,A,words,5\n")[0]
    assert [(document.id, document.title, document.text) for document in documents] == [("7", "A", "words")]
    assert documents[0].metadata["text_length"] == 5


def test_a_table_of_excel_in_windows_1252_is_read_and_one_of_another_encoding_is_not(tmp_path):
    assert text(tmp_path, "a.csv", "id,text\n1,Café Linnéa – 5 €\n".encode("cp1252")) == "Café Linnéa – 5 €"
    assert reason(tmp_path, "b.csv", "id,text\n1,Привет мир\n".encode("cp1251")).startswith("not valid UTF-8")


# WikiExtractor


def test_wikiextractor_output_is_found_and_cleaned_up_as_drqa_does(tmp_path):
    titles = ["Rome &amp; Juliet", "Mercury (Disambiguation)", "List of kings", "List of ", "Outline of art", "Listing"]
    lines = [{"id": str(n), "url": "u", "title": title, "text": "x &lt; y &eacute;"} for n, title in enumerate(titles)]
    lines.append({"id": "52643645", "url": "u", "title": "Hidden", "text": "x"})
    (tmp_path / "AA").mkdir()
    (tmp_path / "AA" / "wiki_00").write_text("\n".join(map(json.dumps, lines)))
    assert [document.title for document in Corpus([tmp_path])] == [*titles, "Hidden"]
    events = read_corpus(Corpus([tmp_path], wikiextractor_clean=True))
    documents = events.documents
    assert [(document.id, document.title) for document in documents] == [
        ("0", "Rome & Juliet"),
        ("3", "List of "),
        ("5", "Listing"),
    ]
    assert documents[0].text == "x < y é"
    assert documents[0].metadata["url"] == "u"
    assert events.ignored == {CLEANED_OUT: 4}
    assert events.skipped == []
