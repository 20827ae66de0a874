"""The union of what two searches name: its scores, and which of it may be among the best before all is scored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opendpr.search.exact import SCORE_ROUNDING
from opendpr.search.snapshot import Snapshot
from opendpr.types import Neighbours, Numbers, Scores


def score_union(
    snapshot: Snapshot, question: str, vector: NDArray[np.float32], candidates: Numbers
) -> tuple[Numbers, dict[str, NDArray[np.float32]]]:
    """The passages (n,) among candidates that have a vector, rising, and their scores (n,) `dense` and `bm25`."""
    union = np.unique(candidates)
    union = union[union >= 0]
    dense = snapshot.dense.score(vector, union)
    union, dense = union[np.isfinite(dense)], dense[np.isfinite(dense)]
    return union, {"dense": dense, "bm25": snapshot.score_words(question, union)}


def dense_union(
    snapshot: Snapshot, vector: NDArray[np.float32], nearest: Neighbours, words: Numbers
) -> tuple[Numbers, Scores]:
    """The passages (n,) of a search by vectors, and those by words that have a vector, rising; and their products (n,).

    Args:
        nearest: of one question; its scores are taken as they are, since a product is the same whoever computes it
        words: numbers, or -1
    """
    real = nearest.numbers[0] >= 0
    order = np.argsort(nearest.numbers[0][real])
    numbers, scores = nearest.numbers[0][real][order], nearest.scores[0][real][order]
    others = np.sort(words[words >= 0])
    others = others[~_holds(numbers, others)]
    numbers, scores = np.concatenate([numbers, others]), np.concatenate([scores, snapshot.dense.score(vector, others)])
    order = np.argsort(numbers)
    order = order[np.isfinite(scores[order])]
    return numbers[order], scores[order]


def _holds(numbers: Numbers, others: Numbers) -> NDArray[np.bool_]:
    """(n,), true for those of the others (n,) that are among the numbers, which rise."""
    if not len(numbers):
        return np.zeros(len(others), np.bool_)
    there: NDArray[np.bool_] = numbers[np.searchsorted(numbers, others).clip(max=len(numbers) - 1)] == others
    return there


def contenders(union: Numbers, added: Scores, words: Neighbours, k: int) -> NDArray[np.bool_]:
    """(n,), true where a passage of the union (n,), rising, may be one of the k best by BM25 and what is added to it.

    A passage that the search by words did not name is no better by BM25 than the last one that it named, and shares no
    word with the question if it named fewer than were wanted. BM25 is never below 0. So most need no score.

    Args:
        added: (n,) what is added to the BM25 score of each
        words: of one question; its scores may differ in their last bits from those of the ranking
    """
    if k >= len(union):
        return np.ones(len(union), np.bool_)
    named = words.numbers[0] >= 0
    numbers, scores = words.numbers[0][named], words.scores[0][named]
    order = np.argsort(numbers)
    numbers, scores = numbers[order], scores[order]
    least = np.zeros(len(union), np.float64)
    most = np.full(len(union), scores.min() if named.all() and len(scores) else 0.0, np.float64)
    there = _holds(numbers, union)
    least[there] = most[there] = scores[np.searchsorted(numbers, union[there])]
    rounding = SCORE_ROUNDING * (np.abs(added).max() + scores.max(initial=0.0))
    border = np.partition(least + added, -k)[-k]
    kept: NDArray[np.bool_] = most + added >= border - 2 * rounding
    return kept
