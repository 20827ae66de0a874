"""Borders that no answer crosses, and the sentence around an answer: blank lines, table cells, list items."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

BLOCK_BORDER = re.compile(
    r"""
      \n[^\S\n]*\n\s*                                             # a blank line
    | [^\S\n]*\t\s*                                               # table cells as most formats write them
    | \n[^\S\n]*(?=(?:[-*+\u2022\u2013]|\(?\d{1,3}[.)]|\(?[a-z][.)])[^\S\n]+\S)  # a list item
    """,
    re.VERBOSE,
)
TABLE_ROW = re.compile(r"^[^\S\n]*\|[^\n]*\|[^\S\n]*$", re.M)
"""A row of a table in Markdown."""
SENTENCE_END = re.compile(
    r"""[.!?\u2026]["'\u201d\u2019)\]]*\s+(?=["'\u201c\u2018(\[]?[^\W_a-z])|[\u3002\uff01\uff1f]"""
)
ABBREVIATED_WORDS = (
    *("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Jr", "Sr", "Lt", "Col", "Gen", "Capt", "Sgt", "Rev", "Hon", "No", "vs"),
    *("etc", "cf", "ca", "approx", r"e\.g", r"i\.e", "Fig", "Vol", "pp?"),
)
"""Patterns of words that a full stop follows within a sentence."""
ABBREVIATION = re.compile(rf"\b(?:[A-Z]|{'|'.join(ABBREVIATED_WORDS)})\.\s")
SENTENCE_CHARACTERS = 400
"""A stretch in which no sentence ends is cut to this length, around the answer."""


def borders(text: str) -> list[int]:
    """Where something new begins that an answer does not share with what is before it, in order.

    >>> text = "Reserved.\\n\\n65534"
    >>> [text[place:] for place in borders(text)]
    ['65534']
    """
    places = {match.end() for match in BLOCK_BORDER.finditer(text)}
    for row in TABLE_ROW.finditer(text):
        places |= {place + 1 for place in range(row.start(), row.end()) if text[place] == "|"}
    return sorted(place for place in places if 0 < place < len(text))


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence of a text that [start, end) lies in, without the white space around it.

    >>> text = "The pier is old. It was built in 1888 by E. Smith, of Leeds. It fell."
    >>> text[slice(*sentence_around(text, 34, 38))]
    'It was built in 1888 by E. Smith, of Leeds.'
    """
    cuts = sorted({0, *_sentence_starts(text), *borders(text), len(text)})
    first, last = cuts[max(0, bisect_right(cuts, start) - 1)], cuts[min(len(cuts) - 1, bisect_left(cuts, end))]
    if last - first > SENTENCE_CHARACTERS:
        room = max(0, SENTENCE_CHARACTERS - (end - start)) // 2
        first, last = _at_spaces(text, max(first, start - room), min(last, end + room), (start, end))
    while first < start and (text[first].isspace() or text[first] == "|"):
        first += 1
    while last > end and (text[last - 1].isspace() or text[last - 1] == "|"):
        last -= 1
    return first, last


def _sentence_starts(text: str) -> list[int]:
    """Where sentences begin, apart from the first."""
    ends = {match.end() for match in ABBREVIATION.finditer(text)}
    return [match.end() for match in SENTENCE_END.finditer(text) if match.end() not in ends]


def _at_spaces(text: str, first: int, last: int, kept: tuple[int, int]) -> tuple[int, int]:
    """Shrink a stretch to whole words; what is `kept` stays in it."""
    while 0 < first < kept[0] and not text[first - 1].isspace():
        first += 1
    while kept[1] < last < len(text) and not text[last].isspace():
        last -= 1
    return first, last
