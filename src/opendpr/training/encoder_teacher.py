"""The teacher of encoders: which scores a training needs, and the pairs that carry them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain, count, islice

import numpy as np

from opendpr.errors import InputError, UsageError
from opendpr.model.directory import find_model
from opendpr.training.encoder_objective import epoch_batches
from opendpr.training.objective import Start
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import ExampleSource, PairSource
from opendpr.training.teacher import Teacher
from opendpr.training.teaching import teacher_scores
from opendpr.wording import counted

logger = logging.getLogger(__name__)


class EncoderTeacher:
    """A teacher for the pairs of a source.

    Raises:
        InputError: no example has a hard negative; where only some have none, a warning counts them.
        StateError: there is no such model, or it scores no passages.
    """

    def __init__(self, source: ExampleSource, settings: EncoderSettings) -> None:
        self._source, self._settings = source, settings
        self._teacher = Teacher(find_model(settings.teacher))
        examples, without = source.count_examples()
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

    def taught(self, *, data: object, start: Start) -> ExampleSource:
        """The source, whose pairs have the teacher's scores; raises as `teacher_scores`.

        Args:
            data: what the source was made of
        """
        candidates = self._source.candidates()
        return self._source.with_scores(
            teacher_scores(self._teacher, candidates, self._draws(), data=data, start=start)
        )

    def _draws(self) -> Iterator[tuple[int, list[int]]]:
        """What the batches of the training will draw, and no more."""
        source, settings = self._source, self._settings
        steps = settings.steps(len(epoch_batches(source, settings, 0)))
        batches = chain.from_iterable(epoch_batches(source, settings, epoch) for epoch in count())
        for numbers, seed in islice(batches, steps):
            yield from source.draws(numbers, np.random.default_rng(seed))


def encoder_teacher(source: PairSource, settings: EncoderSettings) -> EncoderTeacher | None:
    """The teacher that the settings name, if it counts in the loss.

    Raises:
        UsageError: the source has no hard negatives, as sentences of a collection; and as `EncoderTeacher` does.
    """
    if not settings.is_taught:
        return None
    if not isinstance(source, ExampleSource):
        raise UsageError(
            "a teacher compares the positive of a question with its hard negatives, and the sentences of a collection "
            "have none; train on examples with hard negatives, or without a teacher"
        )
    return EncoderTeacher(source, settings)
