"""Where an offset in a document is for its reader: the page, the section, and what a link to it names."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from opendpr.text.sections import Section, anchor_at, title_at


class Outline(NamedTuple):
    """The pages, headings and anchors of a document."""

    title: str = ""
    pages: Sequence[int] = ()
    """Offsets at which the pages of a PDF begin; empty for other documents."""
    sections: Sequence[Section] = ()
    """Headings and anchors; empty for plain text and the like."""

    def page(self, offset: int) -> int | None:
        """The page that the character is on, from 1."""
        return bisect_right(self.pages, offset) or None

    def anchor(self, offset: int) -> str | None:
        """What a link to the character's place names after `#`: an anchor, or the page as browsers open it."""
        page = self.page(offset)
        return anchor_at(self.sections, offset) or (f"page={page}" if page else None)

    def title_at(self, offset: int) -> str:
        """The title of the document with the headings above the character."""
        return title_at(self.title, self.sections, offset)


def page_starts(value: object) -> list[int]:
    """Page starts from a document's metadata, which may hold anything; empty unless they are a list of integers."""
    if isinstance(value, list) and all(type(start) is int for start in value):
        return sorted(value)
    return []
