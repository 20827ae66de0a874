"""How far an approximate search has to go: the least effort that reaches a recall, measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from opendpr.iteration import OnStage
from opendpr.search.built import MeasuredEffort
from opendpr.search.ivf import Effort, IvfIndex
from opendpr.search.recall import Ask, best_scores, recalls
from opendpr.search.settings import EffortSettings
from opendpr.types import Numbers, Scores, Vectors


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
    depth, count = max(settings.depths), len(numbers)
    best = best_scores(questions, numbers[rows], pieces=pieces, k=depth, count=count, on_progress=on_progress)
    trials = _Trials(index, questions, own=numbers[rows], best=best, depths=settings.depths)
    on_progress("choosing the effort", 0, 0)
    effort = _least_effort(trials, target, settings) or trials.best()
    recall = {depth: round(value, 4) for depth, value in trials.recalls[effort].items()}
    return MeasuredEffort(effort, recall, len(rows), "pieces" if ask else "vectors", target)


class _Trials:
    """The recalls of the efforts tried so far, each measured once."""

    def __init__(
        self, index: IvfIndex, questions: Vectors, *, own: Numbers, best: Scores, depths: Sequence[int]
    ) -> None:
        self.index, self._questions, self._own, self._best, self._depths = index, questions, own, best, depths
        self.recalls: dict[Effort, dict[int, float]] = {}

    def lowest_recall(self, factor: int, lists: int) -> float:
        """The recall of an effort, at the depth where it is lowest."""
        effort = Effort(lists, factor)
        if effort not in self.recalls:
            nearest = self.index.with_effort(effort).nearest(self._questions, max(self._depths) + 1)
            self.recalls[effort] = recalls(nearest, self._own, best=self._best, depths=self._depths)
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
