"""Where a passage is in its document, for programs that count in UTF-16 and for people who count pages
or follow links.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from opendpr.collection import Collection
from opendpr.collection.lookup import pieces, sections_of
from opendpr.text.sections import Section, anchor_at

KEPT_LAYOUTS = 20_000
"""Documents whose layout is remembered until the collection changes."""
LAYOUTS_PER_QUERY = 500
"""Documents whose layouts are read by one query."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
"""Characters that UTF-16 writes as two code units."""


class Layout(NamedTuple):
    """What turns an offset in code points into others."""

    astral: list[int]
    """Offsets of the characters beyond the first 65,536, rising."""
    pages: list[int]
    """Offsets at which the pages of a PDF begin; empty for other documents."""
    sections: list[Section]
    """Headings and anchors of HTML and the like; empty for other documents."""

    def utf16(self, offset: int) -> int:
        """The offset in UTF-16 code units."""
        return offset + bisect_left(self.astral, offset)

    def page(self, offset: int) -> int | None:
        """The page that the character is on, from 1."""
        return bisect_right(self.pages, offset) or None

    def anchor(self, offset: int) -> str | None:
        """What a link to the character's section names after `#`."""
        return anchor_at(self.sections, offset) or None


class Layouts:
    """The layouts of documents in one version of a collection, read when first needed."""

    def __init__(self, collection: Collection, version: int) -> None:
        self._collection, self.version = collection, version
        self._known: dict[str, Layout] = {}

    def of(self, ids: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those documents that exist."""
        wanted = set(ids)
        if len(self._known) > KEPT_LAYOUTS:
            self._known.clear()
        missing = sorted(wanted - self._known.keys())
        for first in range(0, len(missing), LAYOUTS_PER_QUERY):
            self._known.update(self._read(missing[first : first + LAYOUTS_PER_QUERY]))
        return {id: self._known[id] for id in wanted if id in self._known}

    def _read(self, ids: list[str]) -> dict[str, Layout]:
        astral: dict[str, set[int]] = {}
        pages: dict[str, object] = {}
        for id, starts, start, text in pieces(self._collection, ids):
            pages[id] = starts
            places = astral.setdefault(id, set())
            if not text.isascii():
                places.update(start + match.start() for match in _ASTRAL.finditer(text))
        sections = sections_of(self._collection, ids)
        return {
            id: Layout(sorted(places), page_starts(pages[id]), sections.get(id, [])) for id, places in astral.items()
        }


def page_starts(value: object) -> list[int]:
    """Page starts from a document's metadata, which may hold anything; empty unless they are a list of integers."""
    starts = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    if isinstance(starts, list) and all(isinstance(start, int) for start in starts):
        return sorted(starts)
    return []
