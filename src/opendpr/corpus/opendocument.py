"""OpenDocument texts, presentations and tables: .odt, .odp, .ods, a zip file of XML (ISO/IEC 26300)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import BlockText, Extract, NotReadError, section_metadata, seen, storable
from opendpr.corpus.office import core_title, values, whole

DROPPED_ELEMENTS = frozenset(("tracked-changes", "annotation", "note-citation", "scripts", "forms", "desc"))
"""Deleted text, comments, and the mark of a note, which is written by its number."""
SPACES = 1_000
"""Most spaces in a row."""


def parse_opendocument(file: IO[bytes]) -> Extract:
    """The title in the properties; paragraphs and headings, tables a row a line, notes where their marks are."""
    archive = Archive(file)
    if "META-INF/manifest.xml" in archive and b"encryption-data" in b"".join(archive.chunks("META-INF/manifest.xml")):
        raise NotReadError("an encrypted document; save a copy without password")
    text = BlockText()
    content = ContentReader(text)
    archive.parse("content.xml", content.start, content.end, content.data)
    written = storable(text.text())
    return Extract(core_title(archive, "meta.xml"), seen(written), section_metadata(text.sections, written))


class ContentReader:
    """Turns the elements of `content.xml` into text."""

    def __init__(self, text: BlockText) -> None:
        self._text = text
        self._dropped = 0
        self._cells = 0
        self._paragraphs = 0
        self._notes = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition("}")[2]
        self._dropped += bool(self._dropped) or local in DROPPED_ELEMENTS or values(attributes).get("display") == "none"
        if self._dropped:
            return
        if local in ("p", "h"):
            self._separate()
            self._paragraphs += 1
            if local == "h":
                self._text.begin_heading(whole(values(attributes).get("outline-level", "1"), 1))
        elif local == "table-cell":
            self._cells += 1
        elif local == "page":
            self._text.separate("\n\n")
        elif local == "note":
            self._notes += 1
            self._text.add(f"[{self._notes}:")
        elif local == "s":
            self._text.add(" " * min(whole(values(attributes).get("c", "1"), 1), SPACES))
        elif local in ("tab", "line-break"):
            self._text.add("\t" if local == "tab" else "\n")

    def end(self, name: str) -> None:
        if self._dropped:
            self._dropped -= 1
            return
        local = name.rpartition("}")[2]
        if local in ("p", "h"):
            if local == "h":
                self._text.end_heading()
            self._paragraphs -= 1
            self._separate()
        elif local == "table-cell":
            self._cells -= 1
            self._text.separate("\t")
        elif local == "table-row":
            self._text.separate("\n")
        elif local == "table":
            self._text.separate("\n\n")
        elif local == "note":
            self._text.close("]")

    def data(self, data: str) -> None:
        if not self._dropped and self._paragraphs > 0:
            self._text.add_collapsed(data)

    def _separate(self) -> None:
        self._text.separate(" " if self._cells or self._paragraphs > 0 else "\n\n")
