"""What the reader reads of a passage at once: all of it, or each row of its tables with the names of the columns."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.text.table_rows import Row, table_rows
from opendpr.types import Hit

VALUE_END, NAME_END = "; ", ": "


class Stretch(NamedTuple):
    """Characters of a piece that are characters of the document."""

    start: int
    """Offset in the text of the piece."""
    end: int
    origin: int
    """Offset in the document's text of the first."""


class Piece(NamedTuple):
    """One text for the reader."""

    text: str
    stretches: tuple[Stretch, ...]
    """In order; what lies between them is there for the reader alone."""
    own: tuple[int, int]
    """Where in the document the passage begins and ends: a span begins there, and may end beyond it."""

    @property
    def borders(self) -> list[int]:
        """Offsets of the text that no span crosses, beside those that every text has."""
        return [] if len(self.stretches) == 1 else [place for stretch in self.stretches for place in stretch[:2]]

    def may_begin(self, offsets: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(L,): whether a span may begin at a token with this offset (L,)."""
        allowed = np.zeros(len(offsets), np.bool_)
        for start, end, origin in self.stretches:
            places = offsets - start + origin
            allowed |= (offsets >= start) & (offsets < end) & (places >= self.own[0]) & (places < self.own[1])
        return allowed

    def origin(self, offset: int) -> int:
        """The offset in the document of a character of the text, which lies in a stretch."""
        stretch = self.stretches[bisect_right([stretch.start for stretch in self.stretches], offset) - 1]
        return offset - stretch.start + stretch.origin


def pieces(hit: Hit) -> list[Piece]:
    """The pieces of a passage, in order, with what is to be read beyond its borders."""
    text = hit.before + hit.passage.text + hit.after
    first = hit.passage.start - len(hit.before)
    own = (hit.passage.start, hit.passage.start + len(hit.passage.text))
    rows = table_rows(text, hit.column_names)
    if not rows:
        return [Piece(text, (Stretch(0, len(text), first),), own)]
    return [piece for piece in _pieces(text, rows, first, own) if _is_in(piece, own)]


def _pieces(text: str, rows: list[Row], first: int, own: tuple[int, int]) -> Iterator[Piece]:
    """The rows, and the texts around them."""
    ends = [0, *(row.end for row in rows)]
    starts = [*(row.start for row in rows), len(text)]
    for number, (end, start) in enumerate(zip(ends, starts, strict=True)):
        between = text[end:start]
        if any(map(str.isalnum, between)):  # not the rule below the header of a table
            yield Piece(between, (Stretch(0, len(between), first + end),), own)
        if number < len(rows):
            yield _row_piece(text, rows[number], first, own)


def _row_piece(text: str, row: Row, first: int, own: tuple[int, int]) -> Piece:
    """A row as one line; an empty name stands for nothing."""
    written, stretches = "", []
    for cell in row.cells:
        written += VALUE_END if written else ""
        written += f"{cell.name}{NAME_END}" if cell.name else ""
        stretches.append(Stretch(len(written), len(written) + cell.end - cell.start, first + cell.start))
        written += text[cell.start : cell.end]
    return Piece(written, tuple(stretches), own)


def _is_in(piece: Piece, own: tuple[int, int]) -> bool:
    """Whether a span may begin in a piece."""
    return any(
        origin < own[1] and origin + end - start > own[0] and start < end for start, end, origin in piece.stretches
    )
