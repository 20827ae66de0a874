"""Headers and footers of pages: lines that repeat at the top or at the bottom of many pages of one document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

PAGE_EDGE_LINES = 3
"""Lines at the top and at the bottom of a page that may be its header or footer."""
LEAST_PAGES = 4
"""Pages on which a line must be to count as repeated."""
RUNNING_SHARE = 0.4
"""Share of the pages on which it must be, at the top or at the bottom; books have two of each."""

SHOWN_LINES = 20
"""Different lines that were left out which the metadata show."""

LEFT_OUT, MENU_LINES = "left_out", "menus_left_out"
"""What metadata call lines that were left out because they repeat, and those of the menus of one page."""

PAGE_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b")
MOST_NUMBERS = 2
"""In a header or footer: `Page 3 of 20`."""


def without_running_lines(pages: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """The pages without lines that repeat at their edges, but where each is first; and how often each was left out.

    Lines that differ only by numbers, as those of pages, are the same.
    """
    lines = [page.split("\n") for page in pages]
    counts = Counter(key for page in lines for key in {line_key(page[place]) for place in _edges(page)})
    least = max(LEAST_PAGES, RUNNING_SHARE * len(pages))
    repeated = {key for key, count in counts.items() if key and count >= least}
    seen_keys: set[str] = set()
    left_out: Counter[str] = Counter()
    kept = []
    for page in lines:
        dropped = [place for place in _edges(page) if line_key(page[place]) in repeated & seen_keys]
        left_out.update(page[place].strip() for place in dropped)
        seen_keys.update(line_key(page[place]) for place in _edges(page))
        kept.append("\n".join(line for place, line in enumerate(page) if place not in set(dropped)))
    return kept, left_out


def left_out(lines: Counter[str], name: str = LEFT_OUT) -> dict[str, object]:
    """What a document's metadata say of lines that were left out: how many, and which are the most frequent."""
    return {name: {"lines": lines.total(), "most": dict(lines.most_common(SHOWN_LINES))}}


def repeated_lines(metadata: Mapping[str, object], name: str = LEFT_OUT) -> Counter[str]:
    """The lines that a document's metadata name as left out, and how often each was; a record's own may be anything."""
    value = metadata.get(name)
    most = value.get("most") if isinstance(value, dict) else None
    counts = most.items() if isinstance(most, dict) else ()
    return Counter({str(line): count for line, count in counts if type(count) is int})


def _edges(page: Sequence[str]) -> list[int]:
    """Places of the first and the last lines of a page that say something."""
    places = [place for place, line in enumerate(page) if line.strip()]
    return sorted({*places[:PAGE_EDGE_LINES], *places[-PAGE_EDGE_LINES:]})


def line_key(line: str) -> str:
    """What lines that differ only by numbers share, if these are few: more make a row of a table."""
    words = " ".join(line.split())
    key, numbers = PAGE_NUMBER.subn("#", words.lower())
    return key if numbers <= MOST_NUMBERS else words
