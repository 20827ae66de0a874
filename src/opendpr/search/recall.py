"""How much of the best an approximate search finds, measured beside scanning every vector.

Each question is made of a passage, which does not count among its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from opendpr.iteration import OnStage
from opendpr.search.exact import SCORE_ROUNDING, Stored, scan
from opendpr.types import Neighbours, Numbers, Scores, Vectors

Ask = Callable[[Numbers], Vectors]
"""Vectors (Q, d) of questions, each made of one of the numbered passages (Q,)."""


def best_scores(
    questions: Vectors,
    own: Numbers,
    *,
    pieces: Iterable[tuple[Numbers, Stored]],
    k: int,
    count: int,
    on_progress: OnStage = lambda what, done, total: None,
) -> Scores:
    """The scores (Q, k) of each question's best passages, best first; `-inf` where there are fewer.

    Args:
        questions: (Q, d)
        own: (Q,) the number of the passage that each question is made of
        pieces: numbers (n,) and vectors (n, d) of all passages
        count: how many passages that is at most, for the progress
    """
    best, done = np.full((len(questions), k), -np.inf, dtype=np.float32), 0
    for numbers, stored in pieces:
        nearest = scan(questions, k + 1, numbers, stored=stored)
        best = _best_first(np.hstack([best, _others(nearest, own)]))[:, :k]
        done += len(numbers)
        on_progress("searching exactly", done, count)
    return best


def recalls(nearest: Neighbours, own: Numbers, *, best: Scores, depths: Sequence[int]) -> dict[int, float]:
    """The share of the best passages found by depth, on average over the questions with neighbours; 1 if none has any.

    Passages of the same score, up to rounding, are equally good: any of them can stand for one that was not found.

    Args:
        nearest: (Q, m) what a search returned, m more than the largest depth: one may be the question's own
        own: (Q,) the number of the passage that each question is made of
        best: (Q, k) of `best_scores`, k no less than the largest depth
    """
    returned, questions = _best_first(_others(nearest, own)), np.arange(len(own))
    rounding = SCORE_ROUNDING * np.maximum(np.abs(best[:, :1]), np.abs(best))
    found, shares = np.zeros(len(own), np.int64), {}
    for place in range(max(depths)):
        # What was found better stands for better passages, so that the next one returned has to be as good as this.
        found += np.isfinite(best[:, place]) & (returned[questions, found] >= best[:, place] - rounding[:, place])
        if (depth := place + 1) in depths:
            wanted = np.isfinite(best[:, :depth]).sum(axis=1)
            shares[depth] = float((found[wanted > 0] / wanted[wanted > 0]).mean()) if wanted.any() else 1.0
    return shares


def _others(nearest: Neighbours, own: Numbers) -> Scores:
    """The scores (Q, m) without those of the passages that the questions are made of."""
    return np.where(nearest.numbers == own[:, None], -np.inf, nearest.scores).astype(np.float32)


def _best_first(scores: Scores) -> Scores:
    ordered: Scores = -np.sort(-scores, axis=1)
    return ordered
