"""Exact maximum inner product search: every vector is looked at. The measure of all other indexes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from opendpr.index.plan import SMALL
from opendpr.types import Neighbours, Numbers, Scores, Vectors

Stored: TypeAlias = NDArray[np.float16] | NDArray[np.float32]
"""(n, d)"""

BLOCK = 8_192
"""Vectors multiplied at once."""


class ExactIndex:
    """A `VectorIndex` over fp16 vectors; scores are computed in fp32, which is how a few of them are held in memory.

    Args:
        numbers: (n,), rising
        vectors: (n, d)
    """

    def __init__(self, numbers: Numbers, vectors: NDArray[np.float16]) -> None:
        self._numbers = numbers
        self._vectors: Stored = vectors if len(vectors) > SMALL else vectors.astype(np.float32)

    @property
    def dim(self) -> int:
        return int(self._vectors.shape[1])

    def __len__(self) -> int:
        return len(self._numbers)

    def search(self, vectors: Vectors, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k largest inner products for each row of `vectors` (Q, d), ties by number."""
        rows = None if allowed is None else np.flatnonzero(np.isin(self._numbers, allowed))
        return scan(vectors, k, self._numbers, self._vectors, rows)

    def contains(self, numbers: Numbers) -> NDArray[np.bool_]:
        """(n,), true for the numbers that are there."""
        return np.isin(numbers, self._numbers)

    def score(self, vector: Vectors, numbers: Numbers) -> Scores:
        """(n,) inner products of one vector (d,) with the numbered ones; `-inf` for a number unknown."""
        if not len(self._numbers):
            return np.full(len(numbers), -np.inf, dtype=np.float32)
        rows = np.searchsorted(self._numbers, numbers).clip(max=len(self._numbers) - 1)
        scores = self._vectors[rows].astype(np.float32) @ vector
        return np.where(self._numbers[rows] == numbers, scores, -np.inf).astype(np.float32)


def scan(
    vectors: Vectors, k: int, numbers: Numbers, stored: Stored, rows: NDArray[np.int64] | None = None
) -> Neighbours:
    """The k largest inner products of each row of `vectors` (Q, d) with each one stored, ties by number.

    Args:
        numbers: (n,) of the stored vectors (n, d), which may lie in a mapped file
        rows: the stored ones that count; None means all
    """
    many = len(stored) > SMALL
    best = Neighbours(
        np.full((len(vectors), k), -np.inf, dtype=np.float32), np.full((len(vectors), k), -1, dtype=np.int64)
    )
    for first in range(0, len(numbers if rows is None else rows), BLOCK):
        some = slice(first, first + BLOCK) if rows is None else rows[first : first + BLOCK]
        scores = vectors @ _widened(stored[some], many=many).T  # (Q, block)
        block = np.broadcast_to(numbers[some], scores.shape)
        best = top(np.hstack([best.scores, scores]), np.hstack([best.numbers, block]), k)
    return best


def _widened(stored: Stored, *, many: bool) -> NDArray[np.float32]:
    if many and stored.dtype == np.float16:
        from opendpr.index.faiss import widen  # whose start takes longer than a few vectors

        return widen(stored.astype(np.float16, copy=False))
    return stored.astype(np.float32, copy=False)


def top(scores: Scores, numbers: Numbers, k: int) -> Neighbours:
    """The k best of each row (Q, n), n >= k, best first, ties by number; padding stays last."""
    if scores.shape[1] > k:
        kept = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        # Equal scores at the border: the smallest numbers win, whatever argpartition took.
        border = np.take_along_axis(scores, kept, 1).min(axis=1, keepdims=True)
        for row in np.flatnonzero((scores >= border).sum(axis=1) > k):
            order = np.lexsort((numbers[row], -scores[row]))
            kept[row] = order[:k]
        scores, numbers = np.take_along_axis(scores, kept, 1), np.take_along_axis(numbers, kept, 1)
    order = np.lexsort((numbers, -scores), axis=1)
    return Neighbours(np.take_along_axis(scores, order, 1), np.take_along_axis(numbers, order, 1))
