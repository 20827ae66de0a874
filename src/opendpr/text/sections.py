"""The sections of a document: where each begins, what its heading says, and what a link to it names.

A document's metadata hold them under `sections`, as lists of start, level, heading and anchor. An entry without a
heading is a place that only a link names.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeGuard

SECTIONS_KEY = "sections"
"""The key in the metadata."""
HEADING_CHARACTERS = 100
"""A longer heading is cut in a path."""
PATH_SIGN = " > "
SECTION_TYPES = (int, int, str, str)


class Section(NamedTuple):
    """One heading, or a place with an anchor."""

    start: int
    """Offset in the document's text."""
    level: int
    """1 for a chapter, and so on; 0 for a place without a heading."""
    heading: str
    anchor: str = ""
    """What comes after `#` in a link to it."""


def parse_sections(value: object) -> list[Section]:
    """The sections that a document's metadata name, in order; none if the value is not of that form."""
    if not isinstance(value, list | tuple) or not all(map(_is_section, value)):
        return []
    return sorted(Section(*entry) for entry in value)


def _is_section(entry: object) -> TypeGuard[list[int | str]]:
    return (
        isinstance(entry, list | tuple)
        and len(entry) == len(SECTION_TYPES)
        and all(type(part) is kind for part, kind in zip(entry, SECTION_TYPES, strict=True))
    )


def passage_titles(title: str, sections: Sequence[Section], spans: Sequence[tuple[int, int]]) -> Iterator[str]:
    """The title of each passage: the document's, then the headings above most of its text.

    Args:
        spans: start and end of each passage

    >>> list(passage_titles("Guide", [Section(0, 1, "Guide"), Section(9, 2, "Ports")], [(0, 8), (8, 40)]))
    ['Guide', 'Guide > Ports']
    """
    headed = [section for section in sections if section.level]
    starts = [section.start for section in headed]
    paths = list(_paths(title, headed))
    for start, end in spans:
        first, last = bisect_right(starts, start), bisect_right(starts, max(start, end - 1))
        borders = [start, *starts[first:last], end]
        lengths = [after - before for before, after in pairwise(borders)]
        yield paths[first + lengths.index(max(lengths))]


def title_at(title: str, sections: Sequence[Section], offset: int) -> str:
    """The document's title with the headings above an offset.

    >>> title_at("Guide", [Section(0, 1, "Guide"), Section(9, 2, "Ports")], 12)
    'Guide > Ports'
    """
    headed = [section for section in sections if section.level and section.start <= offset]
    return list(_paths(title, headed))[-1]


def _paths(title: str, headed: Sequence[Section]) -> Iterator[str]:
    """The path before the first heading, then that from each heading on."""
    yield title
    above: list[Section] = []
    for section in headed:
        above = [*(upper for upper in above if upper.level < section.level), section]
        new = (upper.heading for upper in above if upper.heading.casefold() not in title.casefold())
        names = [heading[:HEADING_CHARACTERS] for heading in new]
        yield PATH_SIGN.join([title, *names] if title else names)


def anchor_at(sections: Sequence[Section], offset: int) -> str:
    """The anchor nearest above an offset; empty if there is none, or only that of the document's first line."""
    named = [section for section in sections if section.anchor and section.start]
    place = bisect_right([section.start for section in named], offset)
    return named[place - 1].anchor if place else ""
