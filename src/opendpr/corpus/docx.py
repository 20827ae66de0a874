"""Word documents, .docx: a zip file of XML (ECMA-376)."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import IO

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import BlockText, Extract, storable

WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "http://purl.oclc.org/ooxml/wordprocessingml/main}",
)
FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""A second form of the same content, for old programs."""
DC_TITLE = "http://purl.org/dc/elements/1.1/}title"
CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "\u2011"}


def parse_docx(file: IO[bytes]) -> Extract:
    """The title in the properties; paragraphs, tables a row a line, then footnotes and endnotes."""
    archive = Archive(file)
    main = main_part(archive)
    text = BlockText()
    body = Body(text)
    archive.parse(main, body.start, body.end, body.data)
    for notes in ("footnotes.xml", "endnotes.xml"):
        if (name := posixpath.join(posixpath.dirname(main), notes)) in archive:
            body = Body(text)
            archive.parse(name, body.start, body.end, body.data)
    return Extract(core_title(archive), storable(text.text()))


def main_part(archive: Archive) -> str:
    """The name of the member with the text, nearly always `word/document.xml`."""
    targets = ["word/document.xml"]

    def start(_name: str, attributes: Mapping[str, str]) -> None:
        if attributes.get("Type", "").endswith("/officeDocument"):
            targets.append(attributes.get("Target", "").lstrip("/"))

    if "_rels/.rels" in archive:
        archive.parse("_rels/.rels", start)
    return targets[-1]


def core_title(archive: Archive) -> str:
    """The title in the properties of the document, possibly none."""
    pieces: list[str] = []
    inside: list[bool] = []
    if "docProps/core.xml" in archive:
        archive.parse(
            "docProps/core.xml",
            lambda name, _attributes: inside.append(name == DC_TITLE),
            lambda _name: inside.clear(),
            lambda data: pieces.append(data) if inside[-1:] == [True] else None,
        )
    return storable(" ".join("".join(pieces).split()))


class Body:
    """Turns the elements of WordprocessingML into text."""

    def __init__(self, text: BlockText) -> None:
        self._text = text
        self._in_text = False
        self._cells = 0
        self._dropped = 0

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        self._dropped += name == FALLBACK
        if self._dropped or not name.startswith(WORD):
            return
        local = name.partition("}")[2]
        if local == "t":
            self._in_text = True
        elif local in CHARACTERS:
            self._text.add(CHARACTERS[local])
        elif local == "p":
            self._separate_paragraphs()
        elif local == "tc":
            self._cells += 1

    def end(self, name: str) -> None:
        self._in_text = False
        if name == FALLBACK:
            self._dropped -= 1
        if self._dropped or not name.startswith(WORD):
            return
        local = name.partition("}")[2]
        if local == "p":
            self._separate_paragraphs()
        elif local == "tc":
            self._cells -= 1
            self._text.separate("\t")
        elif local == "tr":
            self._text.separate("\n")
        elif local == "tbl" and not self._cells:
            self._text.separate("\n\n")

    def data(self, data: str) -> None:
        if self._in_text and not self._dropped:
            self._text.add(data)

    def _separate_paragraphs(self) -> None:
        """Blank lines between paragraphs, but a cell of a table stays in its line."""
        self._text.separate(" " if self._cells else "\n\n")
