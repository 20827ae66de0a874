"""XML of any other kind, such as DocBook, TEI or JATS: the text in its elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from opendpr.corpus.archive import parse_xml
from opendpr.corpus.extract import BlockText, Extract, NotReadError, storable
from opendpr.corpus.source import TEXT_BYTES


def parse_xml_text(file: IO[bytes]) -> Extract:
    """Elements among words are part of their line, others begin a line; the title is the first `<title>`."""
    reading = Elements()
    chunks = iter(lambda: file.read(65_536), b"")
    parse_xml("it", chunks, reading.start, end=reading.end, text=reading.data)
    text = reading.text.text()
    if not text.strip():
        raise NotReadError("no text in its elements")
    return Extract(storable(" ".join(reading.title.split())), storable(text))


class Elements:
    """Turns elements into text: one that lies among words stays in its line, another begins a line."""

    def __init__(self) -> None:
        self.text = BlockText()
        self.title = ""
        self._open: list[tuple[bool, bool]] = []
        """Of each element, whether it is part of a line, and whether words came in it."""
        self._titled = self._in_title = False

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        inline = bool(self._open) and self._open[-1][1]
        self._open.append((inline, False))
        if not inline:
            self.text.separate("\n" if len(self._open) > 1 else "")
        if name.rpartition("}")[2].lower() == "title" and not self._titled:
            self._titled = self._in_title = True

    def end(self, _name: str) -> None:
        inline, _ = self._open.pop()
        self._in_title = False
        if not inline:
            self.text.separate("\n")

    def data(self, data: str) -> None:
        if data.strip():
            self._open[-1] = (self._open[-1][0], True)
        if self._in_title and len(self.title) < TEXT_BYTES:
            self.title += data
        self.text.add_collapsed(data)
