"""BM25 as tantivy computes it, to the last bit, with statistics of our choice: those of all members of a set.

    score(q, p) = sum over words w of q:  idf(w) (k1 + 1) tf(w, p) / (tf(w, p) + k1 (1 - b + b |p| / mean |p|))
    idf(w)      = ln(1 + (N - n(w) + 1/2) / (n(w) + 1/2))

N passages, n(w) of which hold the word. All is computed with 32-bit numbers, and |p| is rounded down to one that a byte
can hold, as in Lucene. `tantivy.py` has the words.
"""

from __future__ import annotations

import ctypes
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.search.tantivy import WordTotals, indexed_text, words_of
from opendpr.types import Passage

K1, B = np.float32(1.2), np.float32(0.75)
EXACT_LENGTHS = 24
"""Lengths below this have a byte each; longer ones share one, with three bits behind the first."""
KEPT_TEXTS = 4_096
"""Texts whose words stay counted, some 10 kB each."""


class WordStatistics(NamedTuple):
    """What scores depend on beside the passage."""

    passages: int
    tokens: int
    """Words of all passages."""
    holding: Mapping[str, int]
    """In how many passages each word of the question occurs."""

    @property
    def mean_length(self) -> np.float32:
        """Words of a passage."""
        return mean_length(WordTotals(self.passages, self.tokens))


def mean_length(totals: WordTotals) -> np.float32:
    """Words of a passage, at least one."""
    return max(np.float32(totals.tokens) / np.float32(max(totals.passages, 1)), np.float32(1))


def word_weight(passages: int, holding: int) -> np.float32:
    """idf(w) (k1 + 1) of a word that `holding` of the passages have."""
    half = np.float32(0.5)
    odds = (np.float32(passages - holding) + half) / (np.float32(holding) + half)
    return np.float32(_logarithm()(float(np.float32(1) + odds))) * (np.float32(1) + K1)


class Bm25Scorer:
    """Scores passages for one question.

    Args:
        words: of the question, sorted, each once
    """

    def __init__(self, words: Sequence[str], statistics: WordStatistics) -> None:
        self._words = words
        self.weights = [word_weight(statistics.passages, statistics.holding[word]) for word in words]
        self._norms = _norms(statistics.mean_length)

    def score(self, passages: Iterable[Passage]) -> dict[int, np.float32]:
        """The score of each passage by number."""
        return {passage.number: self._score(passage) for passage in passages}

    def _score(self, passage: Passage) -> np.float32:
        counts = _counted(indexed_text(passage))
        norm, score = self._norms[_length_byte(counts.total())], np.float32(0)
        for word, weight in zip(self._words, self.weights, strict=True):
            if times := counts[word]:
                frequency = np.float32(times)
                score += weight * (frequency / (frequency + norm))
        return score


@lru_cache(maxsize=KEPT_TEXTS)
def _counted(text: str) -> Counter[str]:
    """How often a text has each word; what was counted last is kept, as questions share passages."""
    return Counter(words_of(text))


def _norms(mean_length: np.float32) -> NDArray[np.float32]:
    """k1 (1 - b + b |p| / mean |p|) for each byte that a length is stored in."""
    lengths = np.array(_lengths(), dtype=np.float32)
    norms: NDArray[np.float32] = K1 * (np.float32(1) - B + B * lengths / mean_length)
    return norms


@cache
def _lengths() -> tuple[int, ...]:
    """The length that each byte stands for."""
    return tuple(
        byte if byte < EXACT_LENGTHS else EXACT_LENGTHS + _small_float(byte - EXACT_LENGTHS) for byte in range(256)
    )


def _small_float(code: int) -> int:
    """A number of three bits behind the first one, which is not stored, and an exponent."""
    bits, exponent = code & 7, (code >> 3) - 1
    return bits if exponent < 0 else (bits | 8) << exponent


def _length_byte(length: int) -> int:
    """The byte of the largest length that is not larger."""
    return bisect_right(_lengths(), length) - 1


@cache
def _logarithm() -> Callable[[float], float]:
    """The C library's 32-bit logarithm, which tantivy calls too; another one differs in the last bit."""
    try:
        logarithm = ctypes.CDLL(None).logf
    except (OSError, TypeError, AttributeError):  # as on Windows
        return math.log
    logarithm.restype, logarithm.argtypes = ctypes.c_float, [ctypes.c_float]
    return logarithm
