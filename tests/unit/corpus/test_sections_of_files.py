"""Headings of every kind of document give its passages their titles, and links their places."""

from __future__ import annotations

from pathlib import Path

import pytest

import opendpr
from opendpr.answering.fields import place_fields
from opendpr.collection import open_collection, open_writer
from opendpr.collection.lookup import outlines
from opendpr.corpus import Corpus
from opendpr.text.sections import SECTIONS_KEY, Section, parse_sections
from opendpr.types import Document
from samples import docx, epub, odt, paragraph, pdf_with_bookmarks

HTML = """<!doctype html><title>Manual</title>
<h1 id="five">Chapter&shy; 5<a class="headerlink" href="#five">¶</a></h1><p>About the net\u00adwork.</p>
<section id="ports"><h2>Ports</h2><p>IMAP uses port 143.</p></section>
<a name="users"></a><h2>Users</h2><dl><dt id="limit">limit</dt><dd>Ten users.</dd></dl>
<h2 style="display:none">Hidden</h2>"""
MARKDOWN = """# Chapter 5

Text.

## Ports ##

```
# no heading
```

Users
-----

Ten.

## Ports
"""
RST = """=========
Chapter 5
=========

Text.

Ports
-----

======  ====
a       b
======  ====

Users
-----
"""
ODT_HEADING = '<text:h text:outline-level="{}">{}</text:h>'
MAN = '.TH X 1\n.SH OPTIONS\nText.\n.SS "The port"\nMore.\n'


def heading(text: str, level: int, style: str = "Heading") -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}{level}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'


FILES: dict[str, tuple[str | bytes, list[tuple[int, str, str]]]] = {
    "a.html": (
        HTML,
        [(1, "Chapter 5", "five"), (2, "Ports", "ports"), (2, "Users", "users"), (0, "", "limit")],
    ),
    "a.md": (
        MARKDOWN,
        [(1, "Chapter 5", "chapter-5"), (2, "Ports", "ports"), (2, "Users", "users"), (2, "Ports", "ports-1")],
    ),
    "a.rst": (RST, [(1, "Chapter 5", "chapter-5"), (2, "Ports", "ports"), (2, "Users", "users")]),
    "a.1": (MAN, [(1, "OPTIONS", ""), (2, "The port", "")]),
    "a.docx": (
        docx(heading("Chapter 5", 1) + paragraph("Text.") + heading("Ports", 2) + paragraph("More.")),
        [(1, "Chapter 5", ""), (2, "Ports", "")],
    ),
    "a.odt": (
        odt(f"{ODT_HEADING.format(1, 'Chapter 5')}<text:p>A.</text:p>{ODT_HEADING.format(2, 'Ports')}"),
        [(1, "Chapter 5", ""), (2, "Ports", "")],
    ),
    "a.pdf": (
        pdf_with_bookmarks(["Chapter 5", "Some words", "1.2 Ports"], [("Chapter 5", 0), ("Ports", 2)]),
        [(1, "Chapter 5", ""), (1, "Ports", "")],
    ),
    "a.epub": (
        epub({"one.xhtml": "<h1>One</h1><p>Text.</p>", "two.xhtml": '<h1 id="b">Two</h1><p>More.</p>'}),
        [(1, "One", "one.xhtml"), (1, "Two", "two.xhtml#b")],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_sections_are_where_their_headings_are(tmp_path: Path, name: str) -> None:
    content, expected = FILES[name]
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    (document,) = Corpus([tmp_path / name])
    sections = parse_sections(document.metadata[SECTIONS_KEY])
    assert [(section.level, section.heading, section.anchor.removeprefix("OEBPS/")) for section in sections] == expected
    for section in sections:
        if section.level:
            assert section.heading in document.text[section.start : section.start + len(section.heading) + 12]
            assert not document.text[section.start].isspace()


def test_passages_are_called_after_their_sections_and_documents_after_themselves(tmp_path: Path) -> None:
    filler = " ".join(["word"] * 95)
    (tmp_path / "a.md").write_text(f"# Manual\n\n{filler}\n\n## Ports\n\nIMAP uses port 143. {filler}\n")
    opendpr.add(tmp_path / "c", tmp_path / "a.md", vectors=False)
    with open_collection(tmp_path / "c") as collection:
        assert [passage.title for passage in collection.passages_of("a.md")] == ["Manual", "Manual > Ports"]
        assert [summary.title for summary in collection.summaries()] == ["Manual"]
    (hit,) = opendpr.open(tmp_path / "c", retriever="bm25").search("ports", 1)
    assert hit.passage.title == "Manual > Ports"


def test_a_change_of_headings_alone_makes_new_passages(tmp_path: Path) -> None:
    sections = [list(Section(0, 1, "Ports"))]
    text = "The port is 143."
    opendpr.add(tmp_path / "c", Document("a", "Manual", text), vectors=False)
    with open_writer(tmp_path / "c") as writer:
        assert writer.put_documents([Document("a", "Manual", text, {SECTIONS_KEY: sections})]) == ["replaced"]
        assert writer.put_documents([Document("a", "Manual", text, {SECTIONS_KEY: sections})]) == ["unchanged"]
        assert [passage.title for passage in writer.passages_of("a")] == ["Manual > Ports"]
        writer.remove_documents(["a"])
        assert writer.select("SELECT * FROM passage_titles") == []


def test_bookmarks_of_a_pdf_whose_words_are_nowhere_are_at_the_top_of_their_page(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf_with_bookmarks(["one", "two"], [("Ports", 1), ("nowhere", 7)]))
    (document,) = Corpus([tmp_path / "a.pdf"])
    assert document.metadata[SECTIONS_KEY] == [[4, 1, "Ports", ""]]


def test_answers_and_passages_in_json_say_where_a_link_to_them_leads(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf_with_bookmarks(["one", "The port is 143."], [("Ports", 1)]))
    (tmp_path / "b.html").write_text(f"<h1>Manual</h1>{'word ' * 70}<h2 id=users>Users</h2><p>At most ten users.")
    opendpr.add(tmp_path / "c", [tmp_path / "a.pdf", tmp_path / "b.html"], vectors=False)
    with open_collection(tmp_path / "c") as collection:
        sections = outlines(collection, ["a.pdf", "b.html", "c"])
        text = collection.document("b.html").text
    assert sections.keys() == {"a.pdf", "b.html"}
    assert place_fields(sections["a.pdf"], 6) == {"page": 2, "anchor": "page=2"}
    assert sections["a.pdf"].title_at(6) == "a > Ports"
    assert place_fields(sections["b.html"], text.index("ten")) == {"page": None, "anchor": "users"}
    assert sections["b.html"].title_at(text.index("ten")) == "b > Manual > Users"
