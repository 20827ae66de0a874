"""The vectors of all members of a set: each is searched, and the best of all are taken."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from opendpr.collection.members import Member, of_each
from opendpr.protocols import VectorIndex
from opendpr.search.exact import top
from opendpr.types import Neighbours, Numbers, Scores, Vectors


class MergedIndex:
    """A `VectorIndex` over several with different numbers.

    A score is one product with a stored vector, so it is the same to the last bit wherever the vector is, and the k
    best of all are among the k best of each.
    """

    def __init__(self, members: Sequence[Member[VectorIndex]]) -> None:
        self._members = members

    @property
    def dim(self) -> int:
        return int(self._members[0].begin(attrgetter("dim"))())

    def __len__(self) -> int:
        return sum(of_each(self._members, len))

    def search(self, vectors: Vectors, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k best for each row of `vectors` (Q, d), ties by number; raises as `StoredIndex.search`."""
        lists = of_each(self._members, _search, vectors, k, allowed)
        return top(np.hstack([own.scores for own in lists]), np.hstack([own.numbers for own in lists]), k)

    def score(self, vector: Vectors, numbers: Numbers) -> Scores:
        """(n,) inner products of one vector (d,) with the numbered ones; `-inf` for a number unknown or removed."""
        scores: Scores = np.max(of_each(self._members, _score, vector, numbers), axis=0)
        return scores


def _search(index: VectorIndex, vectors: Vectors, k: int, allowed: Numbers | None) -> Neighbours:
    return index.search(vectors, k, allowed)


def _score(index: VectorIndex, vector: Vectors, numbers: Numbers) -> Scores:
    return index.score(vector, numbers)
