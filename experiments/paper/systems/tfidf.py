"""TF-IDF over hashed words and pairs of words, as DrQA finds articles (Chen et al. 2017, section 3.1).

The weight of a term in a text is log(1 + count) * max(0, log((N - n + 0.5) / (n + 0.5))), where n of N texts have
it. Terms are hashed into buckets by MurmurHash3, so that the table of all pairs need not be kept; the score of a text
is the inner product of its weights and the question's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.utils import murmurhash3_32

from opendpr.text.matching import TOKEN_SEPARATOR, joined_tokens

BUCKETS = 2**24
"""As in the paper."""
KEPT_TERMS = 1_000_000
"""Terms whose buckets are kept."""
_STOP_WORDS = """
a about above after again against all am an and any are as at be because been before being below between both but by
can did do does doing down during each few for from further had has have having he her here hers herself him himself
his how i if in into is it its itself just me more most my myself no nor not now of off on once only or other our ours
ourselves out over own s same she should so some such t than that the their theirs them themselves then there these
they this those through to too under until up very was we were what when where which while who whom why will with you
your yours yourself yourselves
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that make no term, nor a pair that has one of them."""


def terms(text: str) -> list[str]:
    """The words and pairs of neighbouring words of a text, each as often as it occurs."""
    tokens = [token for token in joined_tokens(text).split(TOKEN_SEPARATOR) if token]
    kept = [any(map(str.isalnum, token)) and token not in STOP_WORDS for token in tokens]
    words = [token for token, keep in zip(tokens, kept, strict=True) if keep]
    pairs = pairwise(zip(tokens, kept, strict=True))
    return words + [f"{first} {second}" for (first, one), (second, two) in pairs if one and two]


@lru_cache(KEPT_TERMS)
def bucket(term: str, buckets: int = BUCKETS) -> int:
    """The bucket of a term."""
    return int(murmurhash3_32(term, positive=True)) % buckets


class TfIdf:
    """An index of texts.

    Args:
        texts: N of them, each read once
        buckets: that terms are hashed into
    """

    def __init__(self, texts: Iterable[str], buckets: int = BUCKETS) -> None:
        self._buckets = buckets
        counts = self._counts(texts)
        holding = np.bincount(counts.indices, minlength=buckets)
        total = counts.shape[0]
        self._rarity = np.maximum(0, np.log((total - holding + 0.5) / (holding + 0.5)))
        self._by_bucket = self._weighted(counts).T.tocsr()

    def scores(self, questions: Sequence[str]) -> NDArray[np.float64]:
        """(Q, N): the score of every text."""
        return np.asarray((self.vectors(questions) @ self._by_bucket).toarray())

    def vectors(self, texts: Iterable[str]) -> csr_matrix:
        """(n, buckets): the weights of other texts, as rare as their terms are in the index."""
        return self._weighted(self._counts(texts))

    def _counts(self, texts: Iterable[str]) -> csr_matrix:
        places: list[int] = []
        ends = [0]
        for text in texts:
            places += (bucket(term, self._buckets) for term in terms(text))
            ends.append(len(places))
        counts = csr_matrix((np.ones(len(places)), places, ends), shape=(len(ends) - 1, self._buckets))
        counts.sum_duplicates()
        return counts

    def _weighted(self, counts: csr_matrix) -> csr_matrix:
        weights = np.log1p(counts.data) * self._rarity[counts.indices]
        return csr_matrix((weights, counts.indices, counts.indptr), shape=counts.shape)
