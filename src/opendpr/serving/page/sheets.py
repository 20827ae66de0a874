"""A long text in parts of a few screens, which begin where its own parts do; and what is marked on one of them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from opendpr.serving.page.runs import Range

SHEET_CHARACTERS = 10_000
"""A sheet has about this many characters."""
SHORTEST_CHARACTERS = 6_000
LONGEST_CHARACTERS = 14_000
MOST_PLACES = 1_000
"""Places of words that are found in one text; more are not counted."""
BORDERS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…。])\s"), re.compile(r"\s"))
"""Where a sheet may end, the best kind first: paragraphs, lines, sentences, words."""


class SheetPiece(NamedTuple):
    """Characters of a sheet that look alike."""

    text: str
    page: int | None
    """The page of a PDF that they begin."""
    is_passage: bool
    is_answer: bool
    is_found: bool
    anchor: str
    """The name of the place, for links to it; empty for most."""


class SheetMarks(NamedTuple):
    """What is to be marked in a text; empty ranges mark nothing."""

    answer: Range = (0, 0)
    passage: Range = (0, 0)
    found_places: Sequence[Range] = ()
    current: int | None = None
    """Which of the places that were found was asked for."""


def sheet_starts(text: str, starts: Iterable[int]) -> list[int]:
    """Offsets at which the sheets of a text begin, the first of them 0.

    Args:
        starts: offsets where parts of the text begin, as pages and headings: a sheet ends there if it can
    """
    natural, borders = sorted(starts), [0]
    while len(text) - borders[-1] > LONGEST_CHARACTERS:
        borders.append(_border(text, borders[-1], natural))
    return borders


def sheet_at(borders: Sequence[int], offset: int) -> int:
    """The number of the sheet, from 1, that a character is on."""
    return max(1, bisect_right(borders, offset))


def find_places(text: str, words: str) -> list[Range]:
    """Where words occur, in order; neither capitals nor the kind of space between them matter.

    >>> find_places("The pier. The\\nPier of Orvik.", "the pier")
    [(0, 8), (10, 18)]
    """
    parts = [re.escape(part) for part in words.split()]
    if not parts:
        return []
    pattern = re.compile(r"\s+".join(parts), re.IGNORECASE)
    return [match.span() for match in islice(pattern.finditer(text), MOST_PLACES)]


def pieces(text: str, sheet: Range, marks: SheetMarks, pages: Sequence[int]) -> list[SheetPiece]:
    """A sheet of a text, cut where the look changes.

    Args:
        pages: offsets at which the pages of a PDF begin
    """
    start, end = sheet
    page_at = {offset: page for page, offset in enumerate(pages, start=1) if page > 1}
    shown = [place for place in marks.found_places if place[0] < end and start < place[1]]
    shown_starts = [place[0] for place in shown]
    edges = [*marks.answer, *marks.passage, *page_at, *(edge for place in shown for edge in place)]
    cuts = sorted({start, end, *(edge for edge in edges if start < edge < end)})
    current = marks.found_places[marks.current] if marks.current is not None else None
    named: set[str] = set()
    made: list[SheetPiece] = []
    for first, last in pairwise(cuts):
        part = (first, last)
        is_current = current is not None and _covers(current, part)
        is_answer, is_passage = _covers(marks.answer, part), _covers(marks.passage, part)
        names = (("place", is_current), ("answer", is_answer), ("passage", is_passage))
        anchor = next((name for name, applies in names if applies and name not in named), "")
        named.add(anchor)
        nearest = bisect_right(shown_starts, first) - 1
        is_found = nearest >= 0 and _covers(shown[nearest], part)
        made.append(SheetPiece(text[first:last], page_at.get(first), is_passage, is_answer, is_found, anchor))
    return made


def _border(text: str, start: int, natural: Sequence[int]) -> int:
    """Where the sheet that begins at `start` ends."""
    lowest, highest, wanted = start + SHORTEST_CHARACTERS, start + LONGEST_CHARACTERS, start + SHEET_CHARACTERS
    fitting = natural[bisect_right(natural, lowest) : bisect_right(natural, highest)]
    if fitting:
        return min(fitting, key=lambda offset: abs(offset - wanted))
    for border in BORDERS:
        ends = [match.end() for match in border.finditer(text, lowest, highest)]
        if ends:
            return min(ends, key=lambda offset: abs(offset - wanted))
    return wanted


def _covers(whole: Range, part: Range) -> bool:
    return whole[0] <= part[0] and part[1] <= whole[1]
