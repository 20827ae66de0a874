"""The bookmarks of a PDF as the headings of its sections, each where its words are on the page that it leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from opendpr.corpus.extract import MOST_SECTIONS, storable
from opendpr.text.sections import Section

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

BOOKMARK_CHARACTERS = 300
"""Longest bookmark that is searched for on its page."""


def outline_sections(document: PdfDocument, pages: Sequence[str], starts: Sequence[int]) -> list[Section]:
    """The sections that the bookmarks name, in the order of the text; pages have links of their own, so no anchors.

    Args:
        pages: the text of each page
        starts: offsets at which the pages begin
    """
    sections = []
    searched_page, searched = -1, 0
    for page, level, title in islice(_bookmarks(document), MOST_SECTIONS):
        if title and 0 <= page < len(pages):
            if page != searched_page:
                searched_page, searched = page, 0
            place, searched = heading_place(pages[page], title, searched)
            sections.append(Section(starts[page] + place, level, title))
    return sorted(sections, key=lambda section: section.start)


def _bookmarks(document: PdfDocument) -> Iterator[tuple[int, int, str]]:
    """Page from 0, level from 1, and words of each bookmark."""
    for bookmark in document.get_toc():
        destination = bookmark.get_dest()
        page = destination.get_index() if destination is not None else None
        yield -1 if page is None else page, bookmark.level + 1, storable(" ".join(bookmark.get_title().split()))


def heading_place(page: str, title: str, start: int) -> tuple[int, int]:
    """Where a heading begins on a page and where it ends, after another one; right after that one if it is not there.

    A line of its words alone comes first, with or without a number before them.
    """
    words = r"\s+".join(map(re.escape, title[:BOOKMARK_CHARACTERS].split()))
    for pattern in (
        rf"^[^\S\n]*(?P<heading>(?:[\dA-Z.]{{1,12}}\s+)?{words})[^\S\n]*$",
        rf"\b(?P<heading>{words})(?!\w)",
    ):
        if match := re.compile(pattern, re.I | re.M).search(page, start):
            return match.start("heading"), match.end()
    return start, start
