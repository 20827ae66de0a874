"""The vectors of all members of a set: each is searched, and the best of all are taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from opendpr.search.exact import ExactIndex, top
from opendpr.search.stored import StoredIndex
from opendpr.types import Neighbours, Numbers, Scores, Vectors


class MergedIndex:
    """A `VectorIndex` over several with different numbers.

    A score is one product with a stored vector, so it is the same to the last bit wherever the vector is, and the k
    best of all are among the k best of each.
    """

    def __init__(self, members: Sequence[ExactIndex | StoredIndex]) -> None:
        self._members = members

    @property
    def dim(self) -> int:
        return self._members[0].dim

    def __len__(self) -> int:
        return sum(map(len, self._members))

    def search(self, vectors: Vectors, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k best for each row of `vectors` (Q, d), ties by number; raises as `StoredIndex.search`."""
        lists = [member.search(vectors, k, allowed) for member in self._members]
        return top(np.hstack([own.scores for own in lists]), np.hstack([own.numbers for own in lists]), k)

    def score(self, vector: Vectors, numbers: Numbers) -> Scores:
        """(n,) inner products of one vector (d,) with the numbered ones; `-inf` for a number unknown or removed."""
        scores: Scores = np.max([member.score(vector, numbers) for member in self._members], axis=0)
        return scores
