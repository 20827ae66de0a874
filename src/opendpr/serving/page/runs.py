"""A line of a passage as runs of characters: code, strong words, and what is marked as the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

INLINE = re.compile(
    r"(?<!`)(?P<ticks>`{1,2})(?P<code>[^`\n]+)(?P=ticks)(?!`)"
    r"|\*\*(?P<strong>[^*\n]+)\*\*"
    r"|!?\[(?P<link>[^\[\]\n]+)\]\([^()\s]*\)"
)
"""Code, strong words and links of Markdown; each alternative looks at a character once, whatever the text."""

Range = tuple[int, int]
"""Offsets of the first character and the one after the last."""


class StyledRun(NamedTuple):
    """Characters in one style."""

    text: str
    style: str = ""
    """`code`, `strong`, or empty."""
    is_marked: bool = False


class Styled(NamedTuple):
    """Characters of a text that have one style."""

    start: int
    end: int
    style: str = ""


def runs(text: str, part: Range, marked: Range, *, is_markdown: bool = False) -> list[StyledRun]:
    """The characters of `part`, cut where the look changes; Markdown's signs are left out where they are not marked.

    >>> runs("the `assert` statement", (0, 22), (13, 22), is_markdown=True)
    [StyledRun(text='the ', ...), StyledRun(text='assert', style='code', ...), StyledRun(text=' ', ...), ...]
    """
    styled = _styled(text, part, marked) if is_markdown else [Styled(*part)]
    shown: list[StyledRun] = []
    for start, end, style in styled:
        cuts = sorted({start, end, *(place for place in marked if start < place < end)})
        shown += [
            StyledRun(text[first:last], style, marked[0] <= first and last <= marked[1])
            for first, last in pairwise(cuts)
        ]
    return shown


def _styled(text: str, part: Range, marked: Range) -> Iterator[Styled]:
    """The parts of a line of Markdown, without the signs."""
    start, end = part
    for match in INLINE.finditer(text, start, end):
        kind = match.lastgroup or ""
        inner = match.span(kind)
        signs = (match.start(), inner[0]), (inner[1], match.end())
        if any(_touches(marked, sign) for sign in signs) and not _covers(marked, match.span()):
            continue
        yield Styled(start, match.start())
        yield Styled(*inner, "" if kind == "link" else kind)
        start = match.end()
    yield Styled(start, end)


def _touches(first: Range, other: Range) -> bool:
    return max(first[0], other[0]) < min(first[1], other[1])


def _covers(first: Range, other: Range) -> bool:
    return first[0] <= other[0] and other[1] <= first[1]
