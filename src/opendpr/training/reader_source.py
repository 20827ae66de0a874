"""What a reader's training draws of examples: batches, and for each question of a step the passages to tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.training.reader_examples import MarkedPassage, ReaderExample
from opendpr.training.settings import ReaderSettings
from opendpr.training.sources import Candidates
from opendpr.training.swaps import swapped
from opendpr.training.wordings import typed
from opendpr.types import ExamplePassage, Scores

BUCKET_BATCHES = 64
"""Batches that are filled together, sorted by length, so that rows of a batch need little padding."""


class Draw(NamedTuple):
    """What a step takes of one example."""

    question: str
    positive: MarkedPassage
    others: list[tuple[str, MarkedPassage]]
    """Questions and passages that do not answer them, to be distinguished from question and positive."""
    places: list[int]
    """Places among the example's candidates of the positive and of the passages in `others`; none without others."""
    scores: list[float]
    """A teacher's, of the positive and of `others`, -inf of a swapped question; none without others or teacher."""


class ReaderSource:
    """Examples for a reader by number, with what is random in them.

    Args:
        examples: each with positives whose answers can be learned
        settings: the training's
    """

    def __init__(self, examples: Sequence[ReaderExample], settings: ReaderSettings) -> None:
        self.examples, self._settings = examples, settings
        self._lengths = np.array([len(example.positives[0].text) for example in examples])
        self._scores: Sequence[Scores] | None = None

    def batches(self, epoch: int) -> list[tuple[NDArray[np.int64], int]]:
        """Examples in batches of similar length, and what decides the rest that is random in each."""
        generator = np.random.default_rng((self._settings.seed, epoch))
        order, size = generator.permutation(len(self.examples)), self._settings.batch_size
        batches = []
        for first in range(0, len(order), size * BUCKET_BATCHES):
            bucket = order[first : first + size * BUCKET_BATCHES]
            bucket = bucket[np.argsort(self._lengths[bucket], kind="stable")]
            batches += [bucket[i : i + size] for i in range(0, len(bucket), size)]
        seeds = generator.integers(2**62, size=len(batches)).tolist()
        return [(batches[i], seeds[i]) for i in generator.permutation(len(batches)).tolist()]

    def questions(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[Draw]:
        """Numbered examples in another order, with what is random in them drawn from the generator."""
        return [draw for _, draw in self._numbered(numbers, generator)]

    def candidates(self) -> list[Candidates]:
        """Each example's question as it was asked, with its positives and then its negatives."""
        return [
            Candidates(
                example.question.text,
                [ExamplePassage(passage.title, passage.text) for passage in example.positives + example.negatives],
            )
            for example in self.examples
        ]

    def draws(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[tuple[int, list[int]]]:
        """The numbers, each with the places among its candidates of the passages that are told apart."""
        return [(number, draw.places) for number, draw in self._numbered(numbers, generator) if draw.places]

    def with_scores(self, scores: Sequence[Scores]) -> ReaderSource:
        """The same source, whose draws have the scores that a teacher gave to the candidates of each example."""
        taught = copy(self)
        taught._scores = scores
        return taught

    def _numbered(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[tuple[int, Draw]]:
        settings = self._settings
        numbers = generator.permutation(numbers)
        with_negatives = round(len(numbers) * settings.negative_share) if settings.negatives else 0
        return [
            (number, self._draw(number, generator, negatives=place < with_negatives))
            for place, number in enumerate(numbers.tolist())
        ]

    def _draw(self, number: int, generator: np.random.Generator, *, negatives: bool) -> Draw:
        settings, example = self._settings, self.examples[number]
        chosen = int(generator.integers(len(example.positives)))
        positive = example.positives[chosen]
        worded = typed if generator.random() < settings.wordings_share else _as_asked
        question = worded(example.question.text, generator)
        if not negatives:
            return Draw(question, positive, [], [], [])
        count = min(settings.negatives, len(example.negatives))
        drawn = generator.choice(len(example.negatives), count, replace=False).tolist() if count else []
        others = [(question, example.negatives[place]) for place in drawn]
        if generator.random() < settings.swapped_share:
            other = swapped(example.question, positive.text, generator)
            others += [(worded(other, generator), positive._replace(places=()))] if other else []
        places = [chosen, *(len(example.positives) + place for place in drawn)] if others else []
        return Draw(question, positive, others, places, self._scores_of(number, places, 1 + len(others)))

    def _scores_of(self, number: int, places: Sequence[int], count: int) -> list[float]:
        """The scores of an example's candidates, and -inf for the other rows of `count`."""
        if self._scores is None or not places:
            return []
        return [*self._scores[number][places].tolist(), *[-np.inf] * (count - len(places))]


def _as_asked(question: str, generator: np.random.Generator) -> str:
    return question
