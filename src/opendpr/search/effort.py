"""How far an approximate search has to go: the least effort that reaches a recall, measured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

import numpy as np

from opendpr.iteration import OnStage
from opendpr.search.built import MeasuredEffort
from opendpr.search.exact import Stored, scan
from opendpr.search.ivf import Effort, IvfIndex
from opendpr.search.settings import EffortSettings
from opendpr.types import Neighbours, Numbers, Scores, Vectors

Ask = Callable[[Numbers], Vectors]
"""Vectors (Q, d) of questions, each made of one of the numbered passages (Q,)."""


def choose_effort(
    index: IvfIndex,
    target: float,
    *,
    ask: Ask | None = None,
    on_progress: OnStage = lambda what, done, total: None,
    settings: EffortSettings = EffortSettings(),
) -> MeasuredEffort:
    """The least effort with which a share `target` of the best 20 and of the best 100 is found, and what it finds.

    Each question is made of a passage, which does not count among its neighbours. If no effort reaches the target, it
    is the one that comes nearest.

    Args:
        index: whole, with any effort
        ask: makes the questions; None if passages' own vectors serve, which lie nearer to each other than questions do
    """
    vectors, numbers = index.vectors, index.numbers
    generator = np.random.default_rng(settings.seed)
    rows = np.sort(generator.choice(len(numbers), min(settings.questions, len(numbers)), replace=False))
    questions = ask(numbers[rows]) if ask else vectors[rows].astype(np.float32)
    step = settings.progress_vectors
    pieces = ((numbers[at : at + step], vectors[at : at + step]) for at in range(0, len(numbers), step))
    limits = last_scores(
        questions, numbers[rows], pieces, len(numbers), depths=settings.depths, on_progress=on_progress
    )
    trials = _Trials(index, questions, numbers[rows], limits)
    on_progress("choosing the effort", 0, 0)
    best = _least_effort(trials, target, settings) or trials.best()
    recall = {depth: round(value, 4) for depth, value in trials.recalls[best].items()}
    return MeasuredEffort(best, recall, len(rows), "pieces" if ask else "vectors", target)


class _Trials:
    """The recalls of the efforts tried so far, each measured once."""

    def __init__(self, index: IvfIndex, questions: Vectors, own: Numbers, limits: Mapping[int, Scores]) -> None:
        self.index, self._questions, self._own, self._limits = index, questions, own, limits
        self.recalls: dict[Effort, dict[int, float]] = {}

    def lowest_recall(self, factor: int, lists: int) -> float:
        """The recall of an effort, at the depth where it is lowest."""
        effort = Effort(lists, factor)
        if effort not in self.recalls:
            nearest = self.index.with_effort(effort).nearest(self._questions, max(self._limits) + 1)
            self.recalls[effort] = recalls(nearest, self._own, self._limits, len(self.index.numbers))
        return min(self.recalls[effort].values())

    def best(self) -> Effort:
        """The effort with the highest recall so far; of equals the least."""
        return max(self.recalls, key=lambda tried: (min(self.recalls[tried].values()), -tried.factor, -tried.lists))


def _least_effort(trials: _Trials, target: float, settings: EffortSettings) -> Effort | None:
    """The first effort, fewest candidates first, that reaches the target; None if none does."""
    for factor in settings.candidate_factors:
        recall = partial(trials.lowest_recall, factor)
        lists = _fewest_lists(recall, trials.index.lists, target, settings.least_recall_gain)
        if lists is not None:
            return Effort(lists, factor)
    return None


def _fewest_lists(recall: Callable[[int], float], lists: int, target: float, least_gain: float) -> int | None:
    """The fewest lists that reach the target, by doubling, then between the last two; None if more gain nothing."""
    before, last = 0, 0.0
    for wanted in _doubled(lists):
        reached = recall(wanted)
        if reached >= target:
            between = (before + wanted) // 2
            return between if before < between < wanted and recall(between) >= target else wanted
        if before and reached - last < least_gain:
            return None
        before, last = wanted, reached
    return None


def _doubled(lists: int) -> Iterator[int]:
    wanted = 1
    while wanted < lists:
        yield wanted
        wanted *= 2
    yield lists


def recalls(nearest: Neighbours, own: Numbers, limits: Mapping[int, Scores], count: int) -> dict[int, float]:
    """The share of the best passages found by depth, on average over the questions (Q,).

    Args:
        nearest: what a search for one passage more than the largest depth returned
        own: (Q,) the number of the passage that each question is made of, which does not count
        limits: of `last_scores`: another passage of the same score is as good
        count: of all passages
    """
    scores = np.where(nearest.numbers == own[:, None], -np.inf, nearest.scores)
    shares = {}
    for depth, limit in limits.items():
        counted = np.isfinite(limit)  # the other questions have no neighbours
        good = (scores[counted] >= limit[counted, None] - 1e-4 * np.abs(limit[counted, None])).sum(axis=1)
        shares[depth] = float(np.minimum(good / min(depth, count - 1), 1).mean()) if counted.any() else 1.0
    return shares


def last_scores(
    questions: Vectors,
    own: Numbers,
    pieces: Iterable[tuple[Numbers, Stored]],
    count: int,
    *,
    depths: Collection[int],
    on_progress: OnStage,
) -> dict[int, Scores]:
    """The score of each question's last neighbour (Q,) by depth, found by scanning every vector.

    Args:
        pieces: numbers (n,) and vectors (n, d), of `count` passages in all
    """
    depth, done = max(depths) + 1, 0
    best = np.full((len(questions), depth), -np.inf, dtype=np.float32)
    for numbers, stored in pieces:
        nearest = scan(questions, depth, numbers, stored=stored)
        scores = np.where(nearest.numbers == own[:, None], -np.inf, nearest.scores)
        best = np.sort(np.hstack([best, scores]), axis=1)[:, ::-1][:, :depth]
        done += len(numbers)
        on_progress("searching exactly", done, count)
    neighbours = min(count - 1, depth - 1)
    return {d: best[:, min(d, neighbours) - 1] if neighbours else best[:, -1] for d in depths}
