"""Lines that repeat at the edges of many pages of one folder: menus, "Prev Up Next Home", notices of copyright.

They are found by repetition, not by their words, as headers and footers of a PDF are; each is kept where it is first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from opendpr.corpus.running_lines import LEAST_PAGES, RUNNING_SHARE, left_out, line_key
from opendpr.text.sections import SECTIONS_KEY, parse_sections
from opendpr.types import Document

DOCUMENT_EDGE_LINES = 80
"""Lines with words, from the top and from the bottom of a page, that may be left out."""
LINES_BETWEEN = 1
"""Other lines in a row that may lie among them, as the name of the page between `Prev` and `Next`."""
CONTENT_LEVEL = 2
"""With a heading of this level or one above it the content of a page begins."""


class RepeatedLines:
    """What repeats on the pages of one folder, as far as they were seen.

    Args:
        before: lines that were left out of some of them earlier
    """

    def __init__(self, before: Iterable[str] = ()) -> None:
        self._repeated = {line_key(line) for line in before}
        self._kept = set(self._repeated)

    def learn(self, pages: Iterable[Document]) -> None:
        """Find what repeats on these pages; copies of a page are one page."""
        texts = {page.text for page in pages}
        counts = Counter(key for text in texts for key in _edge_keys(text))
        least = max(LEAST_PAGES, RUNNING_SHARE * len(texts))
        self._repeated.update(key for key, count in counts.items() if count >= least)

    def without(self, page: Document) -> Document:
        """The page without what repeats and was there before; `left_out` in its metadata counts these lines."""
        lines = page.text.split("\n")
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        sections = parse_sections(page.metadata.get(SECTIONS_KEY))
        heads = {bisect_right(starts, section.start) - 1 for section in sections if 0 < section.level <= CONTENT_LEVEL}
        repeated = self._repeated_places(lines, heads)
        dropped = {place for place in repeated if line_key(lines[place]) in self._kept}
        self._kept.update(line_key(lines[place]) for place in repeated)
        if not dropped or all(place in dropped or not line.strip() for place, line in enumerate(lines)):
            return page
        return _shortened(page, lines, dropped)

    def _repeated_places(self, lines: Sequence[str], heads: set[int]) -> set[int]:
        """Lines at the edges that repeat, from the top up to the content, from the bottom up to it."""
        full = [place for place, line in enumerate(lines) if line.strip()]
        repeated: set[int] = set()
        for places in (full[:DOCUMENT_EDGE_LINES], full[::-1][:DOCUMENT_EDGE_LINES]):
            between = 0
            for place in places:
                if place in heads:
                    break
                if line_key(lines[place]) in self._repeated:
                    repeated.add(place)
                    between = 0
                elif (between := between + 1) > LINES_BETWEEN:
                    break
        return repeated


def _edge_keys(text: str) -> set[str]:
    """The lines at the edges of a page, apart from their numbers."""
    full = [line for line in text.split("\n") if line.strip()]
    return {line_key(line) for line in (*full[:DOCUMENT_EDGE_LINES], *full[-DOCUMENT_EDGE_LINES:])}


def _shortened(page: Document, lines: Sequence[str], dropped: set[int]) -> Document:
    """The page without some of its lines and the blank ones after them; its sections move with their lines."""
    gone = set(dropped)
    for place in range(1, len(lines)):
        if not lines[place].strip() and place - 1 in gone:
            gone.add(place)
    before, new_starts, offset = 0, [], 0
    for place, line in enumerate(lines):
        new_starts.append((before, None if place in gone else offset))
        before += len(line) + 1
        offset += 0 if place in gone else len(line) + 1
    moved = []
    for section in parse_sections(page.metadata.get(SECTIONS_KEY)):
        start, now = new_starts[bisect_right(new_starts, section.start, key=lambda pair: pair[0]) - 1]
        if now is not None:
            moved.append([now + section.start - start, *section[1:]])
    text = "\n".join(line for place, line in enumerate(lines) if place not in gone)
    metadata = {name: value for name, value in page.metadata.items() if name != SECTIONS_KEY}
    metadata |= left_out(Counter(lines[place].strip() for place in dropped))
    return replace(page, text=text, metadata={**metadata, SECTIONS_KEY: moved} if moved else metadata)
