"""Approximate search: codes in inverted lists find candidates, fp16 vectors in a mapped file put them in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.search.exact import scan, top
from opendpr.search.settings import IvfSettings
from opendpr.types import Neighbours, Numbers, Scores, Vectors

if TYPE_CHECKING:
    from opendpr.search.faiss import Codes, Rows

LOWEST_SCORE = float(np.finfo(np.float32).min)


class Effort(NamedTuple):
    """How far a search goes."""

    lists: int
    """Inverted lists that are searched (FAISS's nprobe)."""
    factor: int
    """Candidates for each passage wanted."""


class IvfIndex:
    """A `VectorIndex`.

    Args:
        codes: of n vectors
        numbers: (n,), rising
        vectors: (n, d), usually of a mapped file
        removed: numbers that are never found
    """

    def __init__(
        self,
        codes: Codes,
        numbers: Numbers,
        vectors: NDArray[np.float16],
        effort: Effort,
        *,
        removed: Numbers | None = None,
        settings: IvfSettings = IvfSettings(),
    ) -> None:
        self._codes, self.numbers, self.vectors, self.effort = codes, numbers, vectors, effort
        self._settings = settings
        self._live: NDArray[np.bool_] | None = None
        gone = self._rows(removed) if removed is not None else np.empty(0, np.int64)
        if len(gone):
            self._live = np.ones(len(numbers), dtype=np.bool_)
            self._live[gone] = False
        self._count = len(numbers) - len(gone)

    def without(self, removed: Numbers) -> IvfIndex:
        """The same index, in which these numbers are never found."""
        return IvfIndex(self._codes, self.numbers, self.vectors, self.effort, removed=removed, settings=self._settings)

    def with_effort(self, effort: Effort) -> IvfIndex:
        """The same index, whole, searched with another effort."""
        return IvfIndex(self._codes, self.numbers, self.vectors, effort, settings=self._settings)

    @property
    def dim(self) -> int:
        return self._codes.dim

    @property
    def lists(self) -> int:
        """All inverted lists."""
        return self._codes.lists

    def __len__(self) -> int:
        return self._count

    def search(self, vectors: Vectors, k: int, allowed: Numbers | None = None) -> Neighbours:
        """About the k largest inner products for each row of `vectors` (Q, d), ties by number.

        As many as there are, up to k, are found; with the effort of the index most of them are the best.
        """
        rows = None if allowed is None else self._rows(allowed)
        count = self._count if rows is None else len(rows)
        if count <= max(self._candidates(k), len(self.numbers) // self._settings.scanned_part):
            return self._scan(vectors, k, rows)
        mask = self._live
        if rows is not None:
            mask = np.zeros(len(self.numbers), dtype=np.bool_)
            mask[rows] = True
        # A filter leaves few passages in each list: that many more lists are searched, to compare as many as without.
        lists = min(self.lists, -(-self.effort.lists * len(self.numbers) // count))
        best = self._nearest(vectors, k, lists, mask)
        while len(short := np.flatnonzero(best.numbers[:, -1] < 0)) and lists < self.lists:
            lists = min(self.lists, self._settings.lists_factor * lists)
            more = self._nearest(vectors[short], k, lists, mask)
            best.scores[short], best.numbers[short] = more.scores, more.numbers
        return best

    def nearest(self, vectors: Vectors, k: int) -> Neighbours:
        """What the effort alone finds of all vectors: perhaps fewer than there are."""
        return self._nearest(vectors, k, self.effort.lists, None)

    def _nearest(self, vectors: Vectors, k: int, lists: int, allowed: NDArray[np.bool_] | None) -> Neighbours:
        wanted = max(k, min(self._candidates(k), len(self.numbers)))
        return self._refine(vectors, self._codes.search(vectors, wanted, lists, allowed), k)

    def _candidates(self, k: int) -> int:
        """How many candidates a search for k passages compares."""
        return self.effort.factor * max(k, self._settings.least_wanted)

    def score(self, vector: Vectors, numbers: Numbers) -> Scores:
        """(n,) inner products of one vector (d,) with the numbered ones; `-inf` for a number unknown or removed."""
        places, present = self._places(numbers)
        scores = np.full(len(numbers), -np.inf, dtype=np.float32)
        scores[present] = self.vectors[places[present]].astype(np.float32) @ vector
        return scores

    def contains(self, numbers: Numbers) -> NDArray[np.bool_]:
        """(n,), true for the numbers that may be found; no vector is read for it."""
        return self._places(numbers)[1]

    def _places(self, numbers: Numbers) -> tuple[Rows, NDArray[np.bool_]]:
        """(n,) the row of each number, and whether it is there and may be found."""
        places = np.searchsorted(self.numbers, numbers).clip(max=len(self.numbers) - 1)
        present = self.numbers[places] == numbers
        if self._live is not None:
            present &= self._live[places]
        return places, present

    def _rows(self, numbers: Numbers) -> Rows:
        """The rows of numbers, rising, without those that may not be found."""
        places, present = self._places(np.unique(numbers))
        return places[present]

    def _scan(self, vectors: Vectors, k: int, rows: Rows | None) -> Neighbours:
        if rows is None and self._live is not None:
            rows = np.flatnonzero(self._live)
        return scan(vectors, k, self.numbers, stored=self.vectors, rows=rows)

    def _refine(self, vectors: Vectors, rows: Rows, k: int) -> Neighbours:
        """The k best of candidates (Q, c), c >= k, by their vectors."""
        size = max(1, self._settings.candidate_bytes // (rows.shape[1] * self.dim * 4))
        pieces = [slice(first, first + size) for first in range(0, len(rows), size)]

        def refine(piece: slice) -> Neighbours:
            return self._refine_piece(vectors[piece], rows[piece], k)

        shared = len(pieces) >= self._settings.threaded_pieces
        refined = list(self._codes.threads.map(refine, pieces) if shared else map(refine, pieces))
        return Neighbours(
            np.concatenate([best.scores for best in refined] or [np.empty((0, k), np.float32)]),
            np.concatenate([best.numbers for best in refined] or [np.empty((0, k), np.int64)]),
        )

    def _refine_piece(self, vectors: Vectors, rows: Rows, k: int) -> Neighbours:
        from opendpr.search.faiss import widen  # loaded already, as there are codes

        real = (rows >= 0) & (rows < len(self.numbers))
        places = np.where(real, rows, 0)
        stored = widen(self.vectors[places])  # (Q, c, d)
        scores = np.matmul(stored, vectors[:, :, None])[..., 0]
        # A damaged file can turn a vector into NaN: it stays a candidate, the last one.
        scores = np.where(real, np.nan_to_num(scores, nan=LOWEST_SCORE, neginf=LOWEST_SCORE), -np.inf)
        return top(scores, np.where(real, self.numbers[places], -1), k)
