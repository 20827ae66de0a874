"""Mail, rich text, notebooks, office documents, subtitles, manual pages and XML, each by hand."""

from __future__ import annotations

import io
import json

import pytest
from openpyxl import Workbook

from corpora import read_corpus
from opendpr.corpus import Corpus
from opendpr.corpus.child import PARSER_MODULES
from opendpr.corpus.extract import Extract, NotReadError
from opendpr.corpus.kinds import find_by_content
from samples import MAIL, MAILBOX, MAN, RTF, notebook, odt, pptx


def parsed(kind: str, content: bytes | str) -> Extract:
    extract = PARSER_MODULES[kind](io.BytesIO(content.encode() if isinstance(content, str) else content))
    assert isinstance(extract, Extract)
    return extract


def several(kind: str, content: bytes) -> list[tuple[str, str]]:
    extract = PARSER_MODULES[kind](io.BytesIO(content))
    assert isinstance(extract, list)
    return [(each.title, each.text) for each in extract]


def test_a_mail_has_its_headers_and_its_text_decoded():
    extract = parsed("mail", MAIL)
    headers = "From: keeper@orvik.example\nDate: Mon, 06 Jan 2020 10:00:00 +0000\nSubject: The båt"
    assert extract.title == "The båt"
    assert extract.text == f"{headers}\n\nThe båt was built by Åsa Lind for twelve people."
    assert extract.metadata["from"] == "keeper@orvik.example"


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("Mon, 06 Jan 2020 23:30:00 -0800", "2020-01-07T07:30:00+00:00"),
        ("6 Jan 2020 10:00", "2020-01-06T10:00:00+00:00"),
        ("yesterday", "yesterday"),
        ("Mon, 99 Jan 2020 10:00:00 +0000", "Mon, 99 Jan 2020 10:00:00 +0000"),
    ],
)
def test_the_date_of_a_mail_can_be_compared(written, iso):
    assert parsed("mail", f"Subject: s\nDate: {written}\n\nx").metadata["date"] == iso


def test_of_text_and_html_the_text_is_read_and_html_alone_as_a_reader_sees_it():
    parts = "--x\nContent-Type: text/plain\n\nplain\n--x\nContent-Type: text/html\n\n<b>rich</b>\n--x--\n"
    both = f"Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=x\n\n{parts}"
    assert parsed("mail", both).text == "Subject: s\n\nplain"
    assert parsed("mail", "Subject: s\nContent-Type: text/html\n\n<p hidden>a</p><p>b").text == "Subject: s\n\nb"


def mixed(*parts: str, kind: str = "mixed") -> str:
    body = "".join(f"--b\n{part}\n" for part in parts)
    return f"Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=b\n\n{body}--b--\n"


PLAIN, RICH = "Content-Type: text/plain\n\n", "Content-Type: text/html\n\n"


@pytest.mark.parametrize(
    ("mail", "body"),
    [
        (mixed(f"{PLAIN}body", f"{PLAIN}more", "Content-Type: image/png\n\nXX"), "body\n\nmore"),
        (mixed(f"{PLAIN} ", f"{RICH}<p>rich", kind="alternative"), "rich"),
        (mixed(f"{RICH}<p>rich", f"{PLAIN}plain", kind="alternative"), "plain"),
        (mixed(f"{RICH}<p>a <img alt=Map>", "Content-Type: image/png\n\nXX", kind="related"), "a Map"),
        (mixed(f"{PLAIN}body", "Content-Disposition: attachment; filename=a.txt\n\nleft out"), "body"),
        (
            mixed(f"{PLAIN}see", "Content-Type: message/rfc822\n\nFrom: old@x\nSubject: Old\n\nold body"),
            "see\n\nFrom: old@x\nSubject: Old\n\nold body",
        ),
        (
            "Subject: s\nContent-Type: text/plain; format=flowed\n\nThis goes \non.\n-- \nTove\n",
            "This goes on.\n-- \nTove",
        ),
    ],
)
def test_every_text_of_a_mail_that_is_shown_is_there_once(mail, body):
    assert parsed("mail", mail).text == f"Subject: s\n\n{body}"


def test_a_mail_that_names_no_encoding_is_read_as_other_text_is():
    assert parsed("mail", b"Subject: s\nContent-Type: text/plain; charset=\0x\n\nwords").text == "Subject: s\n\nwords"
    assert parsed("mail", b"Subject: s\n\nCaf\xe9 Linn\xe9a opened").text == "Subject: s\n\nCafé Linnéa opened"


def test_a_line_that_begins_with_from_is_no_mail_of_its_own():
    box = "From a@b Mon Jan  6 10:00:00 2020\r\nSubject: One\r\n\r\nFrom then on it was 10:30.\r\nEnd\r\n\r\n"
    box += "From b@c\r\nSubject: Two\r\n\r\nbody\r\n"
    assert several("mailbox", box.encode()) == [
        ("One", "Subject: One\n\nFrom then on it was 10:30.\nEnd"),
        ("Two", "Subject: Two\n\nbody"),
    ]
    assert several("mailbox", b"\r\n\n" + box.encode()) == several("mailbox", box.encode())


def test_each_mail_of_a_mailbox_is_a_document(tmp_path):
    (tmp_path / "a.mbox").write_bytes(MAILBOX)
    events = read_corpus(Corpus([tmp_path]))
    assert [(document.id, document.title) for document in events.documents] == [
        ("a.mbox:1", "The båt"),
        ("a.mbox:2", "Two"),
    ]
    assert events.skipped == []


def test_rich_text_has_paragraphs_and_rows():
    assert parsed("rtf", RTF).text == "Rules of 1874^12\n\nAt most forty people.\n\nTrip\tPrice"


def test_a_notebook_has_its_cells_and_what_they_printed():
    extract = parsed("notebook", notebook(("markdown", "# Tides\nHigh."), ("code", "print(2)", "2\n")))
    assert (extract.title, extract.text) == ("Tides", "# Tides\nHigh.\n\nprint(2)\n\n2\n")


def test_a_notebook_of_version_3_has_its_cells():
    cells = [{"cell_type": "markdown", "source": ["# Tides"]}, {"cell_type": "code", "input": ["print(2)"]}]
    assert parsed("notebook", json.dumps({"worksheets": [{"cells": cells}]})).text == "# Tides\n\nprint(2)"


def test_macros_that_a_manual_page_defines_are_no_text():
    page = '.TH O 1\n.de1 SH\n." bigger\nwords\n..\n.de X end\nwords\n.end\n.SH NAME\no\n'
    assert parsed("man", page).text == "NAME\n\no"


def test_an_opendocument_text_has_what_is_shown():
    content = (
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:h>Head</text:h>"
        "<text:p>one<text:s text:c='2'/>two<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>note</text:p></text:note-body></text:note> on</text:p>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    extract = parsed("opendocument", odt(content, "Title"))
    assert (extract.title, extract.text) == ("Title", "Head\n\none  two[1: note] on\n\na\tb")


def test_a_presentation_has_its_slides_in_order_without_hidden_ones():
    content = pptx(["First", "Hidden", "Third"], hidden=[1], notes={2: "Say this."})
    assert parsed("pptx", content).text == "First\n\nThird\n\nSay this."


def test_a_slide_has_its_superscripts_apart_and_no_struck_text():
    runs = "in 1874</a:t></a:r><a:r><a:rPr baseline='30000'/><a:t>12</a:t></a:r><a:r><a:rPr baseline='-25000'/><a:t>2"
    runs += "</a:t></a:r><a:r><a:rPr strike='sngStrike'/><a:t>40</a:t></a:r><a:r><a:t> end"
    assert parsed("pptx", pptx([runs])).text == "in 1874^12_2 end"


def test_a_workbook_has_a_document_for_each_sheet():
    book = Workbook()
    book.active.title = "Berths"
    for row in (["Berth", "Depth"], ["A1", 4.5], ["A2", 6.0], [], ["=1+1", True]):
        book.active.append(row)
    book.create_sheet("Empty")
    book.create_sheet("Secret").append(["x"])
    book["Secret"].sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    assert several("xlsx", out.getvalue()) == [("Berths", "Berth\tDepth\nA1\t4.5\nA2\t6\n\tTRUE")]


def test_a_share_that_excel_shows_as_a_percentage_is_one():
    book = Workbook()
    for row in (["Berth", "Share"], ["A1", 0.125], ["A2", 0.3]):
        book.active.append(row)
    for row in (2, 3):
        book.active.cell(row, 2).number_format = "0.0%"
    out = io.BytesIO()
    book.save(out)
    assert several("xlsx", out.getvalue())[0][1] == "Berth: A1; Share: 12.5%\n\nBerth: A2; Share: 30%"


def test_subtitles_are_what_is_said():
    srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>The bell</i>\r\nwas cast\r\n\r\n"
    srt += "2\r\n00:00:02,000 --> 00:00:03,000\r\nin 1712.\r\n"
    assert parsed("subtitles", srt).text == "The bell\nwas cast\nin 1712."
    vtt = "WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000 align:start\n<v Ann>Ahoy &amp; hello\n"
    assert parsed("subtitles", vtt).text == "Ahoy & hello"
    together = "WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n00:02.000 --> 00:03.000\nTwo\n"
    assert parsed("subtitles", together).text == "One\nTwo"


def test_a_manual_page_has_its_words(tmp_path):
    extract = parsed("man", MAN)
    assert extract.title == "ORVIK(1)"
    options = "--verbose\nTurn on 'verbose' output.\n-q file\nBe quiet, see log(5)."
    assert extract.text == f"NAME\n\norvik - log the frost\n\nOPTIONS\n\n{options}"
    (tmp_path / "orvik.1").write_text(MAN)
    (tmp_path / "server.log.1").write_text("2020 started\n")
    assert find_by_content(tmp_path / "orvik.1") == "man"
    assert find_by_content(tmp_path / "server.log.1") is None


def test_a_manual_page_has_its_accents_and_signs():
    assert (
        parsed("man", ".TH O 1\n.SH CAF\\('E\n5 \\(mu 3, \\[u20AC]4, \\(oAsa, \\[:u]\n").text
        == "CAFÉ\n\n5 × 3, €4, Åsa, ü"
    )


def test_xml_has_the_text_of_its_elements():
    book = "<book><title>Tides</title><para>High <em>and</em> low.</para><para>Twice.</para></book>"
    extract = parsed("xml", book)
    assert (extract.title, extract.text) == ("Tides", "Tides\nHigh and low.\nTwice.")


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        ("mailbox", "no mailbox", "does not begin with a line 'From"),
        ("rtf", "plain", "no rich text"),
        ("notebook", "[]", "no notebook"),
        ("notebook", "{", "not valid JSON"),
        ("subtitles", "words", "no subtitles"),
        ("pptx", "x", "damaged"),
        ("xlsx", "x", "damaged"),
        ("opendocument", "x", "damaged"),
        ("xml", "<a><b/></a>", "no text"),
        ("xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares XML entities"),
    ],
)
def test_what_is_of_another_kind_is_refused_with_the_reason(kind, content, reason):
    with pytest.raises(NotReadError, match=reason):
        PARSER_MODULES[kind](io.BytesIO(content.encode()))


def test_a_file_of_a_kind_that_is_not_read_is_refused_by_name(tmp_path):
    (tmp_path / "a.doc").write_text("words")
    events = read_corpus(Corpus([tmp_path / "a.doc"]))
    assert events.documents == []
    assert events.skipped[0].reason == "Word's old format; save it as .docx"


def test_a_notebook_may_hold_anything_json_has():
    with pytest.raises(NotReadError):
        PARSER_MODULES["notebook"](io.BytesIO(json.dumps({"cells": 3}).encode()))
    cells = [3, {"source": 3, "outputs": [3, {"data": 3}]}, {"source": ["a", 3]}]
    assert parsed("notebook", json.dumps({"cells": cells})).text == "a"
