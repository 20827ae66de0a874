"""Search in a cache of vectors and in what is newer, with scores from the store."""

from __future__ import annotations

import numpy as np

from opendpr.collection import Collection
from opendpr.collection.rows import EncoderRow
from opendpr.search.exact import ExactIndex, top
from opendpr.search.ivf import IvfIndex
from opendpr.search.products import products
from opendpr.types import Neighbours, Numbers, Scores, Vectors

FETCH_BATCH_QUESTIONS = 64
"""Questions whose passages' vectors are fetched from the store at once."""


class RemovedError(Exception):
    """A passage was found that has been removed since."""


class StoredIndex:
    """A `VectorIndex` over the vectors of one encoder: those in the cache, and newer ones, which are all scanned.

    The passages it finds are scored with vectors from the store: damage in the cache can hide a passage, but never give
    it a wrong score.
    """

    def __init__(self, collection: Collection, row: EncoderRow, cached: IvfIndex, newer: ExactIndex) -> None:
        self._collection, self._row, self._cached, self._newer = collection, row, cached, newer

    @property
    def dim(self) -> int:
        return self._cached.dim

    def __len__(self) -> int:
        return len(self._cached) + len(self._newer)

    def search(self, vectors: Vectors, k: int, allowed: Numbers | None = None) -> Neighbours:
        """About the k largest inner products for each row of `vectors` (Q, d), ties by number.

        Raises:
            RemovedError: a passage was removed since the index was loaded.
            StateError: this process was forked from the one that opened the collection.
        """
        self._collection.refuse_fork()  # FAISS's threads do not survive one, and it would wait for them for ever
        cached, newer = self._cached.search(vectors, k, allowed), self._newer.search(vectors, k, allowed)
        numbers = top(np.hstack([cached.scores, newer.scores]), np.hstack([cached.numbers, newer.numbers]), k).numbers
        scores = np.full(numbers.shape, -np.inf, dtype=np.float32)
        for first in range(0, len(vectors), FETCH_BATCH_QUESTIONS):
            batch = slice(first, first + FETCH_BATCH_QUESTIONS)
            wanted = np.unique(numbers[batch])
            wanted = wanted[wanted >= 0]
            there, stored = self._collection.vectors_of(self._row, wanted)
            if len(there) < len(wanted):
                raise RemovedError
            for vector, row, places in zip(vectors[batch], numbers[batch], scores[batch], strict=True):
                real = row >= 0
                places[real] = products(stored[np.searchsorted(there, row[real])].astype(np.float32), vector)
        return top(scores, numbers, k)

    def score(self, vector: Vectors, numbers: Numbers) -> Scores:
        """(n,) inner products of one vector (d,) with the numbered ones; `-inf` for a number unknown or removed."""
        present = self._cached.contains(numbers) | self._newer.contains(numbers)
        there, stored = self._collection.vectors_of(self._row, numbers[present])
        scores = ExactIndex(there, stored).score(vector, numbers)
        return np.where(present, scores, -np.inf).astype(np.float32)
