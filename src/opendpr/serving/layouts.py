"""Where a passage is in its document, for programs that count in UTF-16 and for people who count pages
or follow links.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from opendpr.collection import Collection
from opendpr.collection.lookup import outlines, pieces
from opendpr.text.places import Outline

KEPT_LAYOUTS = 20_000
"""Documents whose layout is remembered until the collection changes."""
LAYOUTS_PER_QUERY = 500
"""Documents whose layouts are read by one query."""
_ASTRAL_CHARACTERS = re.compile("[\U00010000-\U0010ffff]")
"""Characters that UTF-16 writes as two code units."""


class Layout(NamedTuple):
    """What turns an offset in code points into others."""

    astral: list[int]
    """Offsets of the characters beyond the first 65,536, rising."""
    outline: Outline

    def utf16(self, offset: int) -> int:
        """The offset in UTF-16 code units."""
        return offset + bisect_left(self.astral, offset)


class Layouts:
    """The layouts of documents in one version of a collection, read when first needed."""

    def __init__(self, collection: Collection, version: int) -> None:
        self._collection, self.version = collection, version
        self._layouts: dict[str, Layout] = {}

    def of_documents(self, ids: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those documents that exist."""
        wanted = set(ids)
        if len(self._layouts) > KEPT_LAYOUTS:
            self._layouts.clear()
        missing = sorted(wanted - self._layouts.keys())
        for first in range(0, len(missing), LAYOUTS_PER_QUERY):
            self._layouts.update(self._read(missing[first : first + LAYOUTS_PER_QUERY]))
        return {id: self._layouts[id] for id in wanted if id in self._layouts}

    def _read(self, ids: list[str]) -> dict[str, Layout]:
        astral: dict[str, set[int]] = {id: set() for id in ids}
        for id, start, text in pieces(self._collection, ids):
            if not text.isascii():
                astral[id].update(start + match.start() for match in _ASTRAL_CHARACTERS.finditer(text))
        return {id: Layout(sorted(astral[id]), outline) for id, outline in outlines(self._collection, ids).items()}
