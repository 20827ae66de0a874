"""From logits to spans: pure functions (paper section 6.1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.model.tokenizer import Tokens
from opendpr.text.blocks import borders
from opendpr.text.boundaries import together

Floats = NDArray[np.float32]


class TokenSpan(NamedTuple):
    """First and last token of a span, both included, and log P_start + log P_end."""

    first: int
    last: int
    score: float


def log_softmax(logits: Floats) -> Floats:
    """Logarithm of the softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float32)


class WindowWords(NamedTuple):
    """What spans must respect in one window: the words of its text tokens."""

    numbers: NDArray[np.int32]
    """(L,) number of the word each token belongs to, as `whole_words` counts them; a number left out is a border."""
    around: tuple[int, int] = (-1, -1)
    """The same for the tokens before and after the window, which may cut a word; -1 if there is none."""
    starts: slice | NDArray[np.bool_] = slice(None)
    """The tokens that a span may start at; (L,) if they are marked."""


def best_spans(start: Floats, end: Floats, words: WindowWords, *, max_tokens: int, count: int) -> list[TokenSpan]:
    """The spans with the largest P_start(s) * P_end(t) among the text tokens of one window.

    A span ends at or after its start, has at most `max_tokens` tokens, and neither starts nor ends
    inside a word: a text of one word longer than that has none. Nor does it cross a border between blocks of the
    text. Spans that overlap a better one are left out.
    A word counts with its largest start and its largest end, wherever in it they lie.

    Args:
        start, end: (L,) logits of the text tokens only
    """
    L = len(start)
    start, end = at_word_borders(start, end, words.numbers)
    scores = log_softmax(start)[:, None] + log_softmax(end)[None, :]
    scores = np.where(_allowed(words, max_tokens), scores, -np.inf)  # (L, L): row is first, column is last
    spans: list[TokenSpan] = []
    while len(spans) < count and np.isfinite(scores).any():
        first, last = divmod(int(scores.argmax()), L)
        spans.append(TokenSpan(first, last, float(scores[first, last])))
        scores[: last + 1, first:] = -np.inf  # every span that starts by `last` and ends from `first` on
    return spans


def _allowed(words: WindowWords, max_tokens: int) -> NDArray[np.bool_]:
    """(L, L): whether there may be a span from a row's token to a column's."""
    numbers, L = words.numbers, len(words.numbers)
    first_of_word = np.zeros(L, np.bool_)
    first_of_word[words.starts] = (np.diff(numbers, prepend=words.around[0]) != 0)[words.starts]
    last_of_word = np.diff(numbers, append=words.around[1]) != 0
    width = np.arange(L)[None, :] - np.arange(L)[:, None]
    blocks = np.cumsum(np.diff(numbers, prepend=numbers[:1]) > 1)
    allowed = (width >= 0) & (width < max_tokens) & first_of_word[:, None] & last_of_word[None, :]
    return np.asarray(allowed & (blocks[:, None] == blocks[None, :]))


def whole_words(text: str, tokens: Tokens, further_borders: Sequence[int] = ()) -> NDArray[np.int32]:
    """(L,): number of the word that each token of a text belongs to, with the signs that are part of it.

    A number is left out where a block begins: after a blank line, and at a table cell and a list item, and at
    `further_borders`.
    """
    firsts = tokens.offsets[:, 0]
    begins = (np.diff(tokens.words, prepend=-1) != 0).astype(np.int32)
    for start, end in together(text):
        begins[(firsts > start) & (firsts < end)] = 0
    places = np.searchsorted(firsts, np.array([*borders(text), *further_borders], np.int64))
    begins[np.unique(places[places < len(firsts)])] += 1
    return np.cumsum(begins, dtype=np.int32)


def at_word_borders(start: Floats, end: Floats, words: NDArray[np.int32]) -> tuple[Floats, Floats]:
    """Logits (L,) in which each word's largest start is at its first token and its largest end at its last.

    A reader that marks `12.50` means the word `$12.50`. Two logits change places, so that the softmax stays what it is.
    """
    start, end = start.copy(), end.copy()
    firsts = np.flatnonzero(np.diff(words, prepend=-1))
    if not len(firsts):
        return start, end
    afters = np.append(firsts[1:], len(words))
    for word in np.flatnonzero(np.maximum.reduceat(start, firsts) > start[firsts]):
        best = firsts[word] + int(start[firsts[word] : afters[word]].argmax())
        start[[firsts[word], best]] = start[[best, firsts[word]]]
    for word in np.flatnonzero(np.maximum.reduceat(end, firsts) > end[afters - 1]):
        best = firsts[word] + int(end[firsts[word] : afters[word]].argmax())
        end[[afters[word] - 1, best]] = end[[best, afters[word] - 1]]
    return start, end


def overlapping(offsets: NDArray[np.int32], start: int, end: int) -> tuple[int, int] | None:
    """First and last of some tokens, or words, that overlap the characters [start, end), None if none does.

    Args:
        offsets: (n, 2), where each of them is in the text
    """
    inside = np.flatnonzero((offsets[:, 1] > start) & (offsets[:, 0] < end))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


def characters(span: TokenSpan, tokens: Tokens, text: str) -> tuple[int, int]:
    """Offsets in the passage's text of a span of its tokens.

    A tokenizer that takes accents away has no token for a combining mark (text in NFD, vowel signs): the marks that
    follow the last token belong to its word.
    """
    first, last = int(tokens.offsets[span.first, 0]), int(tokens.offsets[span.last, 1])
    while last < len(text) and unicodedata.category(text[last]).startswith("M"):
        last += 1
    return first, last
