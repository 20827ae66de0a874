"""Rich text, .rtf: what a word processor shows of it (RTF 1.9.1)."""

from __future__ import annotations

import re
from typing import IO

from opendpr.corpus.extract import Extract, NotReadError, section_metadata, storable, visible
from opendpr.corpus.rtf_text import RichText
from opendpr.corpus.rtf_words import TOKEN
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG

TITLE = re.compile(r"\{\\title ([^{}]{1,2000})\}")
INFO_CHARACTERS = 100_000
"""How far into a file its properties are looked for."""


def parse_rtf(file: IO[bytes]) -> Extract:
    """Paragraphs, tables a row a line, then footnotes; the title is that of the properties."""
    data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise NotReadError(TOO_LONG)
    if not data.lstrip().startswith(b"{\\rtf"):
        raise NotReadError("no rich text: it does not begin with {\\rtf")
    source = data.decode("latin-1")
    reading = read(source)
    written = storable(reading.text.text())
    title = TITLE.search(source, 0, INFO_CHARACTERS)
    named = " ".join(read(f"{{\\rtf1 {title[1]}}}", reading.page).text.text().split()) if title else ""
    return Extract(visible(storable(named)), visible(written), section_metadata(reading.text.sections, written))


def read(source: str, page: str = "cp1252") -> RichText:
    """The text of a document, each byte of which is one character of `source`."""
    reading = RichText(page)
    at = 0
    while at < len(source) and (match := TOKEN.match(source, at)):
        at = match.end()
        if match["word"] == "bin":  # as many bytes of a picture follow
            at += max(0, int(match["number"] or 0))
        else:
            reading.take(match)
        if reading.ended:
            break
    reading.finish()
    return reading
