"""The names of the columns of the tables that passages begin inside, from the passages above them."""

from __future__ import annotations

from collections.abc import Mapping

from opendpr.collection import Collection
from opendpr.text.table_rows import are_rows, begins_inside, column_names
from opendpr.types import Passage

HEADER_PASSAGES = 64
"""How many passages above the header of a table is looked for."""
FIRST_PASSAGES = 8
"""How many of them are read at first; each time after that twice as many."""
HEADER_ROWS = 60
"""By how many rows of a table its header is known."""


def names_above(
    collection: Collection, passages: Mapping[int, Passage], before: Mapping[int, str]
) -> dict[int, tuple[str, ...]]:
    """The names for each of the passages, by number; none where it begins inside no table, or its header is far above.

    What is above is read for all passages together, each passage once, and so is the header of each table.

    Args:
        before: the words right before each passage that are read with it
    """
    ways = {number: _WayUp(passage, before[number]) for number, passage in passages.items()}
    known: dict[int, Passage | None] = dict(passages)
    count = FIRST_PASSAGES
    while unfinished := [way for way in ways.values() if not way.climb(known)]:
        wanted = sorted({number for way in unfinished for number in way.wanted(count)} - known.keys())
        known |= dict.fromkeys(wanted) | collection.passages(wanted)
        count *= 2
    names = {text: column_names(text) for text in {way.beginning or "" for way in ways.values()}}
    return {number: names[way.beginning or ""] for number, way in ways.items()}


class _WayUp:
    """The way from a passage to the beginning of the table that it begins inside.

    Attributes:
        beginning: the first rows of the table, possibly behind other lines; empty if they are not to be had, None while
            they are looked for
    """

    def __init__(self, passage: Passage, before: str) -> None:
        text = before + passage.text
        self._document_id, self._start, self._end = passage.document_id, passage.start, passage.start - len(before)
        self._next, self._last = passage.number - 1, passage.number - HEADER_PASSAGES
        self._below = text.split("\n", 2)[:2]
        """The lines right below what is above."""
        self._rows: list[str] = []
        """The whole lines above, the last of them left out if they are many."""
        self._part: str | None = None
        """The end of the line above them; None where nothing was read."""
        self.beginning: str | None = None if passage.start and begins_inside(text) else ""

    def wanted(self, count: int) -> range:
        """The numbers of the next passages above, at most `count`."""
        return range(self._next, max(self._next - count, self._last - 1), -1)

    def climb(self, known: Mapping[int, Passage | None]) -> bool:
        """Go up as far as passages are known; returns whether that is the end of the way."""
        while self.beginning is None and self._next in known:
            if (other := known[self._next]) is not None:
                self._add(other)
            self._next -= 1
            if self.beginning is None and self._next < self._last:
                self.beginning = ""  # the table goes on above: what is there may be any row of it
        return self.beginning is not None

    def _add(self, other: Passage) -> None:
        """Take the lines of the next passage above; the first may be the end of a row."""
        if other.document_id != self._document_id or other.start >= self._start:
            self.beginning = "\n".join([self._part or "", *self._rows])
            return
        text = other.text[: min(self._start, self._end) - other.start]
        lines = (text.removesuffix("\n") if self._part is None else text + self._part).split("\n")
        self._part = lines.pop(0) if other.start else ""
        self._start = other.start
        self._rows = (lines + self._rows)[: len(lines) + HEADER_ROWS]
        if not other.start or not are_rows(lines, self._below):
            self.beginning = "\n".join(self._rows)
        self._below = (lines + self._below)[:2]
