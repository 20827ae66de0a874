"""The teacher of a training on examples: which scores it needs, and the examples that carry them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count, islice
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import InputError
from opendpr.model.directory import find_model
from opendpr.training.objective import Start
from opendpr.training.settings import TaughtSettings
from opendpr.training.sources import Candidates
from opendpr.training.teacher import Teacher
from opendpr.training.teaching import teacher_scores
from opendpr.types import Scores
from opendpr.wording import counted

logger = logging.getLogger(__name__)

Source = TypeVar("Source", bound="TaughtSource")
Batches = Callable[[int], Sequence[tuple[NDArray[np.int64], int]]]
"""The batches of an epoch: numbers of examples, and what decides the rest that is random in each."""


class TaughtSource(Protocol):
    """Examples by number, of which a training draws passages."""

    def candidates(self) -> list[Candidates]:
        """Each example's question with its passages."""
        ...

    def draws(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[tuple[int, list[int]]]:
        """The numbers, each with the places among its candidates of those that are drawn and compared."""
        ...

    def with_scores(self, scores: Sequence[Scores]) -> Self:
        """The same source with the scores that a teacher gave to the candidates of each example."""
        ...


class ExampleTeacher:
    """The teacher that the settings of a training name.

    Args:
        settings: the training's
        examples: how many there are
        without: how many of them have no hard negative

    Raises:
        InputError: no example has a hard negative; where only some have none, a warning counts them.
        StateError: there is no such model, or it scores no passages.
    """

    def __init__(self, settings: TaughtSettings, examples: int, without: int) -> None:
        self._settings, self._teacher = settings, Teacher(find_model(settings.teacher))
        if without == examples:
            raise InputError(
                f"none of {counted(examples, 'example')} has a hard negative, and a teacher compares the positive of a "
                "question with its hard negatives; mine some ('opendpr mine --negatives 8'), or train without a teacher"
            )
        if without:
            logger.warning(
                "%s of %d without a hard negative: the teacher says nothing of them",
                counted(without, "example"),
                examples,
            )

    def record(self) -> dict[str, object]:
        """By what a record and a resumed training know the teacher and its weight."""
        settings = self._settings
        return {
            **self._teacher.record(),
            "share": settings.teacher_share,
            "temperature": settings.teacher_temperature,
        }

    def taught(self, source: Source, batches: Batches, start: Start) -> Source:
        """The source with the teacher's scores of what the batches of the training draw; raises as `teacher_scores`."""
        return source.with_scores(
            teacher_scores(self._teacher, source.candidates(), self._draws(source, batches), start)
        )

    def _draws(self, source: TaughtSource, batches: Batches) -> Iterator[tuple[int, list[int]]]:
        """What the batches of the training will draw, and no more."""
        steps = self._settings.steps(len(batches(0)))
        every = chain.from_iterable(batches(epoch) for epoch in count())
        for numbers, seed in islice(every, steps):
            yield from source.draws(numbers, np.random.default_rng(seed))
