"""How far an approximate search has to go: the least effort that reaches a recall, measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendpr.iteration import OnStage
from opendpr.search.exact import scan
from opendpr.search.ivf import Effort, IvfIndex
from opendpr.types import Numbers, Scores, Vectors

TRIED_QUESTIONS = 500
"""Questions whose neighbours are asked for."""
RECALL_DEPTHS = (20, 100)
CANDIDATE_FACTORS = (4, 8, 16, 32)
LEAST_RECALL_GAIN = 0.002
"""Recall that looking through twice as many lists has to add, or more candidates are taken instead."""
PROGRESS_VECTORS = 100_000
"""Vectors between two reports of progress."""
QUESTION_SEED = 1

Ask = Callable[[Numbers], Vectors]
"""Vectors (Q, d) of questions, each made of one of the numbered passages (Q,)."""


def choose_effort(
    index: IvfIndex,
    vectors: NDArray[np.float16],
    numbers: Numbers,
    target: float,
    on_progress: OnStage,
    ask: Ask | None = None,
) -> dict[str, Any]:
    """The least effort with which the best 20 and the best 100 are found to a share of `target`, and what it finds.

    Each question is made of a passage, which does not count among its neighbours. If no effort reaches the target, the
    one that comes nearest.

    Args:
        vectors: (n, d), of the passages numbered (n,)
        ask: makes the questions; None if passages' own vectors serve, which lie nearer to each other than questions do
    """
    rows = np.sort(
        np.random.default_rng(QUESTION_SEED).choice(len(numbers), min(TRIED_QUESTIONS, len(numbers)), replace=False)
    )
    questions = ask(numbers[rows]) if ask else vectors[rows].astype(np.float32)
    limits = _limits(questions, numbers[rows], vectors, numbers, on_progress)
    tried: dict[Effort, dict[int, float]] = {}

    def measure(factor: int, lists: int) -> float:
        effort = Effort(lists, factor)
        if effort not in tried:
            tried[effort] = recalls(index.with_effort(effort), questions, numbers[rows], limits)
        return min(tried[effort].values())

    on_progress("choosing the effort", 0, 0)
    best = None
    for factor in CANDIDATE_FACTORS:
        reached = _fewest_lists(partial(measure, factor), index.lists, target)
        if reached is not None:
            best = Effort(reached, factor)
            break
    if best is None:
        best = max(tried, key=lambda effort: (min(tried[effort].values()), -effort.factor, -effort.lists))
    return {
        **best._asdict(),
        "recall": {str(depth): round(value, 4) for depth, value in tried[best].items()},
        "questions": len(rows),
        "asked": "pieces" if ask else "vectors",
        "target": target,
    }


def _fewest_lists(recall: Callable[[int], float], lists: int, target: float) -> int | None:
    """By doubling, then between the last two; None where more lists gain nothing and the target is not reached."""
    before, last = 0, 0.0
    for wanted in _doubled(lists):
        found = recall(wanted)
        if found >= target:
            between = (before + wanted) // 2
            return between if before < between < wanted and recall(between) >= target else wanted
        if before and found - last < LEAST_RECALL_GAIN:
            return None
        before, last = wanted, found
    return None


def _doubled(lists: int) -> Iterator[int]:
    wanted = 1
    while wanted < lists:
        yield wanted
        wanted *= 2
    yield lists


def recalls(index: IvfIndex, questions: Vectors, own: Numbers, limits: Mapping[int, Scores]) -> dict[int, float]:
    """By depth, the share of the best passages found, on average over the questions (Q, d).

    Args:
        own: (Q,) the number of each question, which does not count
        limits: (Q,) by depth, the score of the last one wanted: another one of the same score is as good
    """
    found = index.nearest(questions, max(limits) + 1)
    scores = np.where(found.numbers == own[:, None], -np.inf, found.scores)
    shares = {}
    for depth, limit in limits.items():
        some = np.isfinite(limit)  # the others have no neighbours
        wanted = min(depth, len(index) - 1)
        good = (scores[some] >= limit[some, None] - 1e-4 * np.abs(limit[some, None])).sum(axis=1)
        shares[depth] = float(np.minimum(good / wanted, 1).mean()) if some.any() else 1.0
    return shares


def _limits(
    questions: Vectors, own: Numbers, vectors: NDArray[np.float16], numbers: Numbers, on_progress: OnStage
) -> dict[int, Scores]:
    """By depth, the score of each question's last neighbour (Q,), by scanning every vector."""
    depth = max(RECALL_DEPTHS) + 1
    best = np.full((len(questions), depth), -np.inf, dtype=np.float32)
    for first in range(0, len(numbers), PROGRESS_VECTORS):
        some = slice(first, first + PROGRESS_VECTORS)
        found = scan(questions, depth, numbers[some], vectors[some])
        scores = np.where(found.numbers == own[:, None], -np.inf, found.scores)
        best = np.sort(np.hstack([best, scores]), axis=1)[:, ::-1][:, :depth]
        on_progress("searching exactly", min(first + PROGRESS_VECTORS, len(numbers)), len(numbers))
    neighbours = min(len(numbers) - 1, depth - 1)
    return {d: best[:, min(d, neighbours) - 1] if neighbours else best[:, -1] for d in RECALL_DEPTHS}
