"""Documents cut into passages of equal length (paper section 4.1: 100 words).

The paper is Karpukhin et al., Dense Passage Retrieval for Open-Domain Question Answering, EMNLP 2020.
A word is a stretch of characters without white space, as in the paper, with two additions that keep every
passage small, apart from its white space, whatever the text is:

- each character of a script written without spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar,
  Tibetan) is a word;
- 40 characters without white space are a word, and what follows them begins the next one.

A character and what Unicode attaches to it (marks, emoji sequences) stay in one word, up to 40 attached
characters, so no word is longer than 80.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise
from typing import Literal

from opendpr.choices import PASSAGE_WORDS
from opendpr.errors import UsageError
from opendpr.text.structure import cuts

_LONGEST_RUN = 40
"""Characters of one word, before those attached to its last character."""

_MOST_ATTACHED = 40
"""Characters attached to the last character of a word; a bound, so that no text makes a giant word."""

_SPACELESS = (
    "\u0e01-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff\u19e0-\u19ff"  # Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U0003fffd"  # Han, planes 2 and 3
    "\u3041-\u30ff\u31f0-\u31ff\uff65-\uff9f\U0001aff0-\U0001b16f"  # Hiragana, Katakana
)
"""Scripts written without spaces, as the inside of a regex class. Hangul uses spaces and is not one."""

_ATTACHED_NOT_MARKS = (
    "\u200c\u200d"  # joiners
    "\U0001f3fb-\U0001f3ff"  # skin tones
    "\U000e0020-\U000e007f"  # tags, as in the flag of Scotland
    "\u0e33\u0eb3\uff9e\uff9f"  # Thai and Lao vowel AM, voice marks of half-width Katakana
    "\U000e0100-\U000e01ef"  # variation selectors beyond the range that is searched for marks
)
"""What else Unicode attaches to the character before (UAX #29), as the inside of a regex class."""


_BLOCKS_WITH_MARKS = range(0x300, 0x3400), range(0xA000, 0xAC00), range(0xD7A4, 0xD800), range(0xF900, 0x1F000)
"""Without the Han and Hangul syllables and the private characters between, which are half of all and no marks."""


def _marks() -> str:
    """All combining marks, variation selectors among them, as ranges for the inside of a regex class."""
    kinds = (zip(block, map(unicodedata.category, map(chr, block)), strict=True) for block in _BLOCKS_WITH_MARKS)
    marks = [point for point, kind in chain.from_iterable(kinds) if kind[0] == "M"]
    firsts = [after for before, after in pairwise([-1, *marks]) if after != before + 1]
    lasts = [before for before, after in pairwise([*marks, 0x110000]) if after != before + 1]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in zip(firsts, lasts, strict=True))


@cache
def _word() -> re.Pattern[str]:
    """One word; built at first use, because finding the marks takes about 15 ms.

    No possessive quantifiers: those of early releases of Python 3.11 find wrong words. Nothing follows
    the greedy ones, so they never go back. The look-ahead spares most texts the search through the
    many ranges of marks.
    """
    return re.compile(
        rf"(?:[{_SPACELESS}]|[^\s{_SPACELESS}]{{1,{_LONGEST_RUN}}})"
        rf"(?:(?![\0-\u02ff])[{_ATTACHED_NOT_MARKS}{_marks()}]|(?<=\u200d)\S){{0,{_MOST_ATTACHED}}}"
    )


def first_words(text: str, count: int) -> str:
    """The text up to the end of its word number `count`, or all of it."""
    words = _word().finditer(text)
    return text[: next((word.end() for number, word in enumerate(words, start=1) if number == count), len(text))]


def last_words(text: str, count: int) -> str:
    """The text from its last `count` words on, or all of it."""
    starts = [word.start() for word in _word().finditer(text)]
    return text[starts[-count] :] if len(starts) > count else text


_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
r"""The end of a line and all blank lines after it; `\r` is white space, so `\r\n` ends lines too."""


@dataclass(frozen=True)
class Splitter:
    """Cuts a text into passages and says where they are; the text itself is not changed."""

    words: int = PASSAGE_WORDS
    """Words in a passage (paper section 4.1); only the last one of a document may have fewer."""

    overlap: int = 0
    """Words that a passage shares with the previous one. The paper's passages are disjoint."""

    unit: Literal["words", "structure", "paragraphs", "whole"] = "words"
    """`words`: as in the paper.

    `whole`: a document is one passage, however long; for records that are passages already.

    `structure`: about `words` words, cut where headings, paragraphs, list items and sentences begin (`structure.py`).

    `paragraphs`: every natural paragraph is a passage (paper, footnote 3).

    Paragraphs are separated by blank lines. One of more than `2 * words` words is cut into passages of `words`
    words, of which its last may have fewer.
    """

    last: Literal["keep", "fill"] = "keep"
    """`fill`: the last passage starts earlier, so that it too has `words` words if the document has that many."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work.

        :raises UsageError: if a setting is out of range, unknown, or does not go with another one.
        """
        if self.unit not in (units := ("words", "structure", "paragraphs", "whole")):
            raise UsageError(f"unit is {self.unit!r}; expected one of {', '.join(units)}. Choose one of them.")
        if self.last not in ("keep", "fill"):
            raise UsageError(f"last is {self.last!r}; expected 'keep' or 'fill'. Choose one of the two.")
        if self.words < 1:
            raise UsageError(f"words is {self.words}; a passage has at least 1 word. Give more, 100 as in the paper.")
        if not 0 <= self.overlap < self.words:
            raise UsageError(
                f"overlap is {self.overlap}; with words={self.words} it must be from 0 to {self.words - 1}. "
                "Change overlap, or give more words."
            )
        if self.unit != "words" and (self.overlap or self.last == "fill"):
            raise UsageError(
                f"unit={self.unit!r} with overlap={self.overlap} and last={self.last!r}; "
                f"{'paragraphs need' if self.unit == 'paragraphs' else 'it needs'} overlap=0 and last='keep'. "
                "Leave these two out, or use unit='words'."
            )

    def split(self, text: str) -> list[tuple[int, int]]:
        """Return the passages' (start, end) in order, as offsets in code points, end exclusive.

        The passages cover the text without gaps and their starts increase. Without overlap, and with
        `last='keep'`, each ends where the next one starts. White space between two passages belongs to the end
        of the earlier one, white space before the first word to the first. A text without words has no passages.
        """
        if self.unit == "whole":
            return [(0, len(text))] if _word().search(text) else []
        starts = array("q", (word.start() for word in _word().finditer(text)))
        if not starts:
            return []
        if self.unit == "paragraphs":
            return self._split_paragraphs(text, starts)
        n = len(starts)
        if self.unit == "structure":
            firsts = cuts(text, starts, self.words)[:-1]
            return list(pairwise([0, *(starts[first] for first in firsts[1:]), len(text)]))
        firsts = list(range(0, max(1, n - self.overlap), self.words - self.overlap))
        if self.last == "fill":
            firsts[-1] = max(0, n - self.words)
        starts[0] = 0
        starts.append(len(text))
        return [(starts[first], starts[min(first + self.words, n)]) for first in firsts]

    def _split_paragraphs(self, text: str, starts: array[int]) -> list[tuple[int, int]]:
        """Cut at blank lines between words, and long paragraphs also after every `words` words."""
        between = _BLANK_LINES.finditer(text, starts[0], len(text.rstrip()))
        cuts = []
        for begin, end in pairwise([0, *(blank.end() for blank in between), len(text)]):
            cuts.append(begin)
            first, after = bisect_left(starts, begin), bisect_left(starts, end)
            if after - first > 2 * self.words:
                cuts.extend(starts[first + self.words : after : self.words])
        return list(pairwise([*cuts, len(text)]))
