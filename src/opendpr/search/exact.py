"""Exact maximum inner product search: every vector is scanned. The measure of all other indexes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from opendpr.search.products import products
from opendpr.search.settings import ExactSettings
from opendpr.types import Neighbours, Numbers, Scores, Vectors

if TYPE_CHECKING:
    from opendpr.search.faiss import Halves

Stored: TypeAlias = NDArray[np.float16] | NDArray[np.float32]
"""(n, d)"""

SCORE_ROUNDING = 1e-5
"""Relative difference of scores that may come from the order in which their products are summed."""


class ExactIndex:
    """A `VectorIndex` over fp16 vectors; scores are computed in fp32, which is how a few of them are held in memory.

    Args:
        numbers: (n,), rising
        vectors: (n, d)
    """

    def __init__(
        self, numbers: Numbers, vectors: NDArray[np.float16], *, settings: ExactSettings = ExactSettings()
    ) -> None:
        self._settings = settings
        self._hold([(numbers, vectors)], *vectors.shape)

    @classmethod
    def gather(
        cls,
        pieces: Iterable[tuple[Numbers, NDArray[np.float16]]],
        most: int,
        dim: int,
        *,
        settings: ExactSettings = ExactSettings(),
    ) -> ExactIndex:
        """An index of at most this many vectors, which come in pieces and are in memory once.

        Args:
            pieces: numbers (n,) and vectors (n, dim), rising from piece to piece
        """
        index = cls(np.empty(0, np.int64), np.empty((0, dim), np.float16), settings=settings)
        index._hold(pieces, most, dim)
        return index

    def _hold(self, pieces: Iterable[tuple[Numbers, NDArray[np.float16]]], most: int, dim: int) -> None:
        """Load pieces: few vectors as they are multiplied, many as FAISS compares them."""
        numbers, rows = np.empty(most, np.int64), 0
        self._halves: Halves | None = None
        if most > self._settings.wide_vectors:
            from opendpr.search.faiss import Halves  # whose start takes longer than a few vectors

            self._halves = Halves(most, dim, thread_vectors=self._settings.thread_vectors)
        vectors: Stored = np.empty((most, dim), np.float32) if self._halves is None else self._halves.vectors
        for piece, stored in pieces:
            numbers[rows : rows + len(piece)], vectors[rows : rows + len(piece)] = piece, stored
            rows += len(piece)
        if self._halves is not None:
            self._halves.keep(rows)
        self._numbers, self._vectors = numbers[:rows], vectors[:rows]

    @property
    def dim(self) -> int:
        return int(self._vectors.shape[1])

    def __len__(self) -> int:
        return len(self._numbers)

    def search(self, vectors: Vectors, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k largest inner products for each row of `vectors` (Q, d), ties by number."""
        wanted = k + self._settings.tie_vectors
        while True:
            nearest = self._largest(vectors, wanted, allowed)
            scores = np.full(nearest.scores.shape, -np.inf, dtype=np.float32)
            for vector, numbers, own in zip(vectors, nearest.numbers, scores, strict=True):
                own[numbers >= 0] = self.score(vector, numbers[numbers >= 0])
            best, full = top(scores, nearest.numbers, k), np.isfinite(nearest.scores[:, -1])
            first, last = nearest.scores[full, 0], nearest.scores[full, -1]
            if (best.scores[full, -1] - last > SCORE_ROUNDING * np.maximum(np.abs(first), np.abs(last))).all():
                return best
            wanted *= self._settings.more_factor  # what was not fetched may round to a better score

    def _largest(self, vectors: Vectors, k: int, allowed: Numbers | None) -> Neighbours:
        """The same by faster products, whose last bits depend on what is computed beside them."""
        mask = None if allowed is None else np.isin(self._numbers, allowed)
        if self._halves is None or len(vectors) > self._settings.single_questions:
            return self._scan(vectors, k, None if mask is None else np.flatnonzero(mask))
        scores, rows = self._halves.search(vectors, k, mask)
        real, numbers = rows >= 0, np.full(rows.shape, -1, np.int64)
        numbers[real] = self._numbers[rows[real]]
        return Neighbours(np.where(real, scores, -np.inf), numbers)

    def _scan(self, vectors: Vectors, k: int, rows: NDArray[np.int64] | None) -> Neighbours:
        return scan(vectors, k, self._numbers, stored=self._vectors, rows=rows, settings=self._settings)

    @property
    def numbers(self) -> Numbers:
        """(n,), rising"""
        return self._numbers

    def contains(self, numbers: Numbers) -> NDArray[np.bool_]:
        """(n,), true for the numbers that are there."""
        return np.isin(numbers, self._numbers)

    def score(self, vector: Vectors, numbers: Numbers) -> Scores:
        """(n,) inner products of one vector (d,) with the numbered ones; `-inf` for a number unknown."""
        if not len(self._numbers):
            return np.full(len(numbers), -np.inf, dtype=np.float32)
        rows = np.searchsorted(self._numbers, numbers).clip(max=len(self._numbers) - 1)
        scores = products(_widened(self._vectors[rows], many=self._halves is not None), vector)
        return np.where(self._numbers[rows] == numbers, scores, -np.inf).astype(np.float32)


def scan(
    vectors: Vectors,
    k: int,
    numbers: Numbers,
    *,
    stored: Stored,
    rows: NDArray[np.int64] | None = None,
    settings: ExactSettings = ExactSettings(),
) -> Neighbours:
    """The k largest inner products of each row of `vectors` (Q, d) with each one stored, ties by number.

    Args:
        numbers: (n,) of the stored vectors (n, d), which may lie in a mapped file
        rows: the stored ones that count; None means all
    """
    many = len(stored) > settings.wide_vectors
    best = Neighbours(
        np.full((len(vectors), k), -np.inf, dtype=np.float32), np.full((len(vectors), k), -1, dtype=np.int64)
    )
    for first in range(0, len(numbers if rows is None else rows), settings.block_vectors):
        last = first + settings.block_vectors
        block = slice(first, last) if rows is None else rows[first:last]
        scores = vectors @ _widened(stored[block], many=many).T  # (Q, block)
        best = _better(best, scores, numbers[block], k)
    return best


def _better(best: Neighbours, scores: Scores, numbers: Numbers, k: int) -> Neighbours:
    """The k best (Q, k) of those so far and of a block's scores (Q, n), whose numbers (n,) are larger.

    Once enough was scanned, few of a block are better than the worst so far, and only these are sorted in.
    """
    rows, places = np.nonzero(scores > best.scores[:, -1:])
    counts = np.bincount(rows, minlength=len(scores))
    if not len(rows):
        return best
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = len(scores), int(counts.max())
    better = Neighbours(np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int64))
    better.scores[rows, columns], better.numbers[rows, columns] = scores[rows, places], numbers[places]
    return top(np.hstack([best.scores, better.scores]), np.hstack([best.numbers, better.numbers]), k)


def _widened(stored: Stored, *, many: bool) -> NDArray[np.float32]:
    if many and stored.dtype == np.float16:
        from opendpr.search.faiss import widen  # whose start takes longer than a few vectors

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
