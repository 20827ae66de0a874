"""Where a passage stands in its document, for programs that count in UTF-16 and for people who count pages."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from opendpr.collection import Collection
from opendpr.collection.lookup import pieces

KEPT = 20_000
"""Documents whose layout is remembered until the collection changes."""
AT_ONCE = 500
"""Documents asked for in one query."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
"""Characters that UTF-16 writes as two code units."""


class Layout(NamedTuple):
    """What turns an offset in code points into others."""

    astral: list[int]
    """Offsets of the characters beyond the first 65,536, rising."""
    pages: list[int]
    """Offsets at which the pages of a PDF begin; empty for other documents."""

    def utf16(self, offset: int) -> int:
        """The offset in UTF-16 code units."""
        return offset + bisect_left(self.astral, offset)

    def page(self, offset: int) -> int | None:
        """The page that the character is on, from 1."""
        return bisect_right(self.pages, offset) or None


class Layouts:
    """The layouts of documents in one version of a collection, read when first needed."""

    def __init__(self, collection: Collection, version: int) -> None:
        self._collection, self.version = collection, version
        self._known: dict[str, Layout] = {}

    def of(self, ids: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those documents that exist."""
        wanted = set(ids)
        if len(self._known) > KEPT:
            self._known.clear()
        missing = sorted(wanted - self._known.keys())
        for first in range(0, len(missing), AT_ONCE):
            self._known.update(self._read(missing[first : first + AT_ONCE]))
        return {id: self._known[id] for id in wanted if id in self._known}

    def _read(self, ids: list[str]) -> dict[str, Layout]:
        astral: dict[str, set[int]] = {}
        pages: dict[str, object] = {}
        for id, starts, start, text in pieces(self._collection, ids):
            pages[id] = starts
            found = astral.setdefault(id, set())
            if not text.isascii():
                found.update(start + match.start() for match in _ASTRAL.finditer(text))
        return {id: Layout(sorted(found), page_starts(pages[id])) for id, found in astral.items()}


def page_starts(value: object) -> list[int]:
    """The `page_starts` of a document's metadata, if that is what they are: a record's own may be anything."""
    found = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    if isinstance(found, list) and all(isinstance(start, int) for start in found):
        return sorted(found)
    return []
