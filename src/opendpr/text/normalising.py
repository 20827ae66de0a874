"""One form of text for what searches and what is searched, however Unicode writes it; offsets lead back.

`plain` is what tokenizers read: compatible characters are their usual form (NFKC: ligatures, full and half width),
digits of every script are ASCII digits, letters that stand for an apostrophe are one, characters that nobody sees are
gone, and a word parted by a hyphen at a line end is whole. `searchable` is what BM25 counts: that, without case and
without accents. The text itself stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from typing import NamedTuple

ANALYSIS_VERSION = 4
"""The version of `searchable`, changed whenever that gives other words: an index of another version is rebuilt."""

_UNSEEN = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
_UNSEEN_INSIDE = re.compile(f"[{_UNSEEN}]")
_APOSTROPHES = "\u02b9\u02bb-\u02bf\u02c8\u02ca\u02cb\u07f4\u07f5\ua78b\ua78c"
"""Letters to Unicode, as in Hawaiʻi; people who lack them, and other documents, write an apostrophe."""
_APOSTROPHE = re.compile(f"[{_APOSTROPHES}]")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
"""A decimal digit of another script."""
_PARTED = re.compile(r"[-\u2010\u00ad](?<=[^\W\d_].)[^\S\n]*\r?\n[^\S\n]*(?=[^\W\d_])")
"""A hyphen at the end of a line, between two letters; it comes first, as a text is searched fast for a few signs."""
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]"
)
"""Marks that are left out where people write in haste; vowel signs of other scripts are letters."""
_CLUSTER = re.compile("(?s).[\u0300-\u036f\u0653-\u0655\u3099\u309a\uff9e\uff9f]*|[\u1100-\u11ff]+")
"""A character and the marks that may become one with it; the letters of a Korean syllable."""
_USUAL_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not decompose, as people write them who lack them."""
_UNUSUAL = re.compile(f"[{''.join(map(chr, _USUAL_LETTERS))}]")
_SEPARATED_FORMS = ("<super>", "<sub>", "<fraction>", "<circle>")
"""Compatible characters whose digits must not join the digit before: `10²` is not 102."""


class Plain(NamedTuple):
    """A text in its plain form, and where its pieces come from."""

    text: str
    starts: list[int]
    """Where each changed or unchanged stretch begins in the plain text; empty if nothing was changed."""
    origins: list[tuple[int, int]]
    """The stretch of the original that it replaces."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the original that [start, end) comes from."""
        if not self.starts or end <= start:
            return start, end
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        return self._place(first, start, 0), self._place(last, end, 1)

    def _place(self, stretch: int, offset: int, side: int) -> int:
        """An offset of the original; one inside of a stretch that was changed is at its `side`."""
        begin, end = self.origins[stretch]
        following = self.starts[stretch + 1] if stretch + 1 < len(self.starts) else len(self.text)
        if following - self.starts[stretch] != end - begin:
            return self.origins[stretch][side]
        return begin + offset - self.starts[stretch]


def plain(text: str) -> Plain:
    """The text for a tokenizer."""
    text = _with_usual_signs(text)
    if is_plain(text):
        return Plain(text, [], [])
    pieces: list[str] = []
    starts: list[int] = []
    origins: list[tuple[int, int]] = []
    length = 0
    for begin, end, piece in _pieces(text):
        if not piece:
            continue
        pieces.append(piece)
        starts.append(length)
        origins.append((begin, end))
        length += len(piece)
    return Plain("".join(pieces), starts, origins)


def is_plain(text: str) -> bool:
    """Whether nothing is to be changed, which is so for most texts, and quickly seen."""
    usual = text.isascii() or (unicodedata.is_normalized("NFKC", text) and not _UNSEEN_INSIDE.search(text))
    return usual and not any(_is_one_word(text, match) for match in _PARTED.finditer(text))


def _with_usual_signs(text: str) -> str:
    """The text with ASCII digits and apostrophes, each for one character, so that offsets stay."""
    if text.isascii():
        return text
    return _APOSTROPHE.sub("'", _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text))


def _is_one_word(text: str, parted: re.Match[str]) -> bool:
    """Whether a hyphen at a line end parts a word: the next line does not go on with a capital."""
    return not text[parted.end()].isupper()


def _pieces(text: str) -> list[tuple[int, int, str]]:
    """Stretches of the text in order, and the plain form of each."""
    pieces: list[tuple[int, int, str]] = []
    at = 0
    for match in _PARTED.finditer(text):
        if _is_one_word(text, match):
            pieces += _compatible(text, at, match.start())
            at = match.end()
    return pieces + _compatible(text, at, len(text))


def _compatible(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    """The clusters of a stretch in NFKC, neighbours that stay as they are put together."""
    pieces: list[tuple[int, int, str]] = []
    kept, at, before = start, start, ""
    for match in _CLUSTER.finditer(text, start, end):
        cluster = match[0]
        at = match.end()
        written = cluster if cluster.isascii() else _written(cluster, before)
        before = written[-1:] or before
        if written != cluster:
            if kept < match.start():
                pieces.append((kept, match.start(), text[kept : match.start()]))
            pieces.append((match.start(), match.end(), written))
            kept = at
    if kept < end:
        pieces.append((kept, end, text[kept:end]))
    return pieces


def _written(cluster: str, before: str) -> str:
    """One cluster in its plain form, set apart where its digits would join those before."""
    written = _APOSTROPHE.sub("'", _UNSEEN_INSIDE.sub("", unicodedata.normalize("NFKC", cluster)))
    apart = before.isdigit() and written[:1].isdigit()
    return f" {written}" if apart and unicodedata.decomposition(cluster[0]).startswith(_SEPARATED_FORMS) else written


def searchable(text: str) -> str:
    """The text for BM25; a word parted at a line end is there whole and in its parts, which may be words too."""
    form = plain(text).text
    if "\n" in text:
        parted = [match for match in _PARTED.finditer(text) if _is_one_word(text, match)]
        form += plain("".join(f" {_word_around(text, match)}" for match in parted)).text
    if form.isascii():
        return form.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", form.casefold()))
    if _UNUSUAL.search(bare):  # which takes a tenth of the time of translating
        bare = bare.translate(_USUAL_LETTERS)
    return unicodedata.normalize("NFKC", bare)


def _word_around(text: str, parted: re.Match[str]) -> str:
    """The two parts of a word that a line end parts, as two words."""
    before = re.search(r"[^\W_]*$", text[max(0, parted.start() - 80) : parted.start()])
    after = re.match(r"[^\W_]*", text[parted.end() : parted.end() + 80])
    return f"{before[0] if before else ''} {after[0] if after else ''}"
