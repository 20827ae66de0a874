"""Markdown: plain text whose first heading is its title; front matter is title and metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

from opendpr.corpus.front_matter import front_matter
from opendpr.corpus.source import Reading, Source
from opendpr.corpus.text import read_text
from opendpr.types import Document

TITLE_CHARACTERS = 2_000
"""How far into a Markdown file its title is looked for."""

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ATX = re.compile(r" {0,3}#{1,6}(?:[ \t]+(.*))?$")
UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
BLOCK = re.compile(r" {0,3}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t]|(?:[*_-][ \t]*){3,}$)")
"""Begins a quotation or a list, or is a rule: what an underline below does not turn into a heading."""


def read_markdown(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """The file after its front matter is one document, to the character, with the first heading as title."""
    for place, found in read_text(file, source):
        yield place, with_front_matter(found) if isinstance(found, Document) else found


def with_front_matter(document: Document) -> Document:
    """The document whose front matter has become its metadata; what is known of the file counts before it."""
    values, start = front_matter(document.text)
    title = values.pop("title", None)
    text = document.text[start:]
    named = " ".join(str(title).split()) if isinstance(title, str | int | float) else ""
    return replace(
        document,
        title=named or heading(text) or document.title,
        text=text,
        metadata={**values, **document.metadata} if values else document.metadata,
    )


def heading(markdown: str) -> str:
    """The first heading near the beginning of a Markdown text, else an empty string.

    Lines of code are no headings.
    """
    start = markdown[:TITLE_CHARACTERS]
    lines = re.split(r"\r\n|\r|\n", start)
    if markdown[TITLE_CHARACTERS : TITLE_CHARACTERS + 1] not in ("", "\r", "\n"):
        del lines[-1]  # cut short
    fence = ""
    paragraph: list[str] | None = []  # None inside a list or a quotation, until an empty line
    for line in lines:
        if fence:
            fence = "" if line.strip().startswith(fence) and not line.strip(f" \t{fence[0]}") else fence
        elif opening := FENCE.match(line):
            fence, paragraph = opening[1], []
        elif (atx := ATX.match(line)) and (title := without_closing(atx[1] or "")):
            return title
        elif UNDERLINE.match(line) and paragraph:
            return " ".join(paragraph)
        elif not line.strip() or atx or UNDERLINE.match(line):
            paragraph = []
        elif BLOCK.match(line):
            paragraph = None
        elif paragraph or (paragraph is not None and not line.startswith(("    ", "\t"))):
            paragraph.append(line.strip())
    return ""


def without_closing(title: str) -> str:
    """The words of an ATX heading without the number signs that may close it."""
    title = title.strip()
    words = title.rstrip("#")
    return words.strip() if words == "" or words[-1] in " \t" else title
