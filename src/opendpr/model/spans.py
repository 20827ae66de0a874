"""From logits to spans: pure functions (paper section 6.1)."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.model.tokenizer import Tokens

Floats = NDArray[np.float32]
INSIDE = re.compile(
    r"""
      (?<=[0-9]) [.,:] (?=[0-9])                        # 1,888  3.14  10:30
    | (?<=\w) \. (?=[a-z])                              # setup.py
    | (?<=\b[A-Z]) \. (?=[A-Z]\b)                       # U.S
    | (?<=\w) ['\u2019] (?=(?:t|ll|re|ve|d|m)\b)        # don't
    """,
    re.VERBOSE,
)
"""Signs within a word, though the tokenizer parts it there. The s of a genitive is a word of its own."""


class TokenSpan(NamedTuple):
    """First and last token of a span, both included, and log P_start + log P_end."""

    first: int
    last: int
    score: float


def log_softmax(logits: Floats) -> Floats:
    """Logarithm of the softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float32)


def best_spans(
    start: Floats,
    end: Floats,
    words: NDArray[np.int32],
    *,
    max_tokens: int,
    count: int,
    around: tuple[int, int] = (-1, -1),
) -> list[TokenSpan]:
    """The spans with the largest P_start(s) * P_end(t) among the text tokens of one window.

    A span ends at or after its start, has at most `max_tokens` tokens, and neither starts nor ends
    inside a word: a text of one word longer than that has none. Spans that overlap a better one are left out.

    Args:
        start, end: (L,) logits of the text tokens only
        words: (L,) number of the word each token belongs to
        around: the same for the tokens before and after the window, which may cut a word; -1 if there is none
    """
    L = len(start)
    first_of_word = np.diff(words, prepend=around[0]) != 0
    last_of_word = np.diff(words, append=around[1]) != 0
    scores = log_softmax(start)[:, None] + log_softmax(end)[None, :]  # (L, L): row is first, column is last
    width = np.arange(L)[None, :] - np.arange(L)[:, None]
    allowed = (width >= 0) & (width < max_tokens) & first_of_word[:, None] & last_of_word[None, :]
    scores = np.where(allowed, scores, -np.inf)
    spans: list[TokenSpan] = []
    while len(spans) < count and np.isfinite(scores).any():
        first, last = divmod(int(scores.argmax()), L)
        spans.append(TokenSpan(first, last, float(scores[first, last])))
        scores[: last + 1, first:] = -np.inf  # every span that starts by `last` and ends from `first` on
    return spans


def whole_words(text: str, tokens: Tokens) -> NDArray[np.int32]:
    """(L,): number of the word that each token of a text belongs to, signs within words counted in."""
    begins = np.diff(tokens.words, prepend=-1) != 0
    signs = np.array([match.start() for match in INSIDE.finditer(text)], dtype=np.int32)
    places = np.flatnonzero(np.isin(tokens.offsets[:, 0], signs))
    begins[places] = begins[np.minimum(places + 1, len(begins) - 1)] = False
    return np.cumsum(begins, dtype=np.int32)


def characters(span: TokenSpan, tokens: Tokens, text: str) -> tuple[int, int]:
    """Offsets in the passage's text of a span of its tokens.

    A tokenizer that takes accents away has no token for a combining mark (text in NFD, vowel signs): the marks that
    follow the last token belong to its word.
    """
    first, last = int(tokens.offsets[span.first, 0]), int(tokens.offsets[span.last, 1])
    while last < len(text) and unicodedata.category(text[last]).startswith("M"):
        last += 1
    return first, last
