"""Markdown: plain text whose first heading is its title; front matter is title and metadata."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import IO

from opendpr.corpus.extract import MOST_SECTIONS
from opendpr.corpus.front_matter import front_matter, titled
from opendpr.corpus.source import Reading, Source
from opendpr.corpus.text import read_text
from opendpr.text.sections import SECTIONS_KEY, Section
from opendpr.types import Document

TITLE_LINE_CHARACTERS = 2_000
"""How far into a Markdown file its title is looked for."""

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|$)")
ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
UNDERLINE = re.compile(r" {0,3}(=|-)\1*[ \t]*$")
NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")
BLOCK = re.compile(r" {0,3}(?:>|<!--|[-+*][ \t]|\d{1,9}[.)][ \t]|(?:[*_-][ \t]*){3,}$)")
"""Begins a quotation, a list or a comment, or is a rule: what an underline below does not turn into a heading."""


def read_markdown(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """The file after its front matter is one document, to the character, with the first heading as title."""
    for place, reading in read_text(file, source):
        yield place, with_front_matter(reading) if isinstance(reading, Document) else reading


def with_front_matter(document: Document) -> Document:
    """The document whose front matter has become its metadata; what is known of the file counts before it."""
    values, start = front_matter(document.text)
    named, values = titled(values)
    text = document.text[start:]
    headed = [list(section) for section in anchored(headings(text))]
    return replace(
        document,
        title=named or heading(text) or document.title,
        text=text,
        metadata={**values, **document.metadata, **({SECTIONS_KEY: headed} if headed else {})},
    )


def heading(markdown: str) -> str:
    """The first heading near the beginning of a Markdown text, else an empty string."""
    start = markdown[:TITLE_LINE_CHARACTERS]
    if markdown[TITLE_LINE_CHARACTERS : TITLE_LINE_CHARACTERS + 1] not in ("", "\r", "\n"):
        start = start[: max(start.rfind("\n"), start.rfind("\r")) + 1]  # without the line that is cut short
    return next((section.heading for section in headings(start)), "")


def headings(markdown: str) -> Iterator[Section]:
    """All headings of a Markdown text; lines of code are none."""
    fence = ""
    paragraph: list[re.Match[str]] | None = []  # None inside a list or a quotation, until an empty line
    for match in LINE.finditer(markdown):
        line = match[1]
        if fence:
            fence = "" if line.strip().startswith(fence) and not line.strip(f" \t{fence[0]}") else fence
        elif opening := FENCE.match(line):
            fence, paragraph = opening[1], []
        elif (atx := ATX.match(line)) and (title := without_closing(atx[2] or "")):
            yield Section(match.start(), len(atx[1]), title)
            paragraph = []
        elif (underline := UNDERLINE.match(line)) and paragraph:
            title = " ".join(part[1].strip() for part in paragraph)
            yield Section(paragraph[0].start(), 1 if underline[1] == "=" else 2, title)
            paragraph = []
        elif not line.strip() or atx or underline:
            paragraph = []
        elif BLOCK.match(line):
            paragraph = None
        elif paragraph or (paragraph is not None and not line.startswith(("    ", "\t"))):
            paragraph.append(match)


def anchored(sections: Iterable[Section]) -> list[Section]:
    """Headings with the anchors that GitHub and most other programs give them."""
    uses: Counter[str] = Counter()
    named = []
    for section in islice(sections, MOST_SECTIONS):
        anchor = NOT_IN_ANCHOR.sub("", section.heading.lower()).replace(" ", "-")
        named.append(section._replace(anchor=f"{anchor}-{uses[anchor]}" if uses[anchor] else anchor))
        uses[anchor] += 1
    return named


def without_closing(title: str) -> str:
    """The words of an ATX heading without the number signs that may close it."""
    title = title.strip()
    words = title.rstrip("#")
    return words.strip() if words == "" or words[-1] in " \t" else title
