"""reStructuredText: plain text whose first heading is its title; lines of one sign under a line make it a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import IO

from opendpr.corpus.extract import MOST_SECTIONS
from opendpr.corpus.source import Reading, Source
from opendpr.corpus.text import read_text
from opendpr.text.sections import SECTIONS_KEY, Section
from opendpr.types import Document

HEADING = re.compile(
    r"^(?:(?P<over>([!-/:-@\[-`{-~])\2{2,})[ \t]*\r?\n[ \t]*)?"
    r"(?P<words>[^\s.][^\r\n]*?)[ \t]*\r?\n(?P<under>([!-/:-@\[-`{-~])\5{2,})[ \t]*\r?$",
    re.MULTILINE,
)
ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}")
"""A line of signs is no heading."""
NOT_IN_ANCHOR = re.compile(r"[^a-z0-9]+")


def read_rst(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """The file is one document, to the character, with the first heading as title."""
    for place, reading in read_text(file, source):
        yield place, _headed(reading) if isinstance(reading, Document) else reading


def _headed(document: Document) -> Document:
    sections = list(islice(headings(document.text), MOST_SECTIONS))
    if not sections:
        return document
    metadata = {**document.metadata, SECTIONS_KEY: [list(section) for section in sections]}
    return replace(document, title=sections[0].heading, metadata=metadata)


def headings(text: str) -> Iterator[Section]:
    """All headings; each kind of adornment is a level, in the order in which they come (docutils' rule).

    A line over a heading is like that under it, and the line under it is as long as its words at least.
    """
    levels: dict[tuple[str, bool], int] = {}
    for match in HEADING.finditer(text):
        over, under, words = match["over"], match["under"], match["words"]
        if len(under) < len(words) or (over and over != under) or ADORNMENT.fullmatch(words):
            continue
        level = levels.setdefault((under[0], bool(over)), len(levels) + 1)
        yield Section(match.start("words"), level, words, NOT_IN_ANCHOR.sub("-", words.lower()).strip("-"))
