"""Where an encoder's training pairs come from: examples with passages, or a collection alone (inverse cloze)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from copy import copy
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from opendpr.collection import Collection
from opendpr.errors import InputError, StateError, UsageError
from opendpr.types import ExamplePassage, Passage, Scores, TrainingExample
from opendpr.wording import counted

KEPT_SHARE = 0.1
"""Share of inverse cloze pairs whose passage keeps the sentence asked for (Lee et al. 2019, section 4)."""
SENTENCE_WORDS = (5, 60)
"""Fewest and most words of a sentence that serves as a question."""
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])[\"')\]]?\s+(?=[\"'(\[]?[A-Z0-9])")


class Pair(NamedTuple):
    """What one question brings to a batch."""

    question: str
    positive: ExamplePassage
    negatives: Sequence[ExamplePassage] = ()
    others: Sequence[ExamplePassage] = ()
    """Further passages that answer it: in the batch for another question, they are no negatives of this one."""
    scores: Sequence[float] = ()
    """A teacher's, of the positive and then of the negatives; none without a teacher."""


class Candidates(NamedTuple):
    """A question and the passages of its own that a teacher scores."""

    question: str
    passages: Sequence[ExamplePassage]


class PairSource(Protocol):
    """Training pairs by number."""

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """The numbers of the pairs of one epoch, shuffled."""
        ...

    def pairs(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[Pair]:
        """Numbered pairs, with what is random in them drawn from the generator."""
        ...


class ExampleSource:
    """Pairs out of examples: a positive and hard negatives are drawn from those an example has (section 3.2).

    Args:
        sets: of examples
        weights: how often an epoch goes over each set; with a fraction, over a part drawn for each epoch
        hard_negatives: drawn for each question

    Raises:
        UsageError: a weight is no positive number, or so small that nothing of its set is left.
    """

    def __init__(
        self, sets: Sequence[Sequence[TrainingExample]], weights: Sequence[float], hard_negatives: int
    ) -> None:
        self._examples = [example for examples in sets for example in examples]
        self._scores: Sequence[Scores] | None = None
        self._sizes, self._weights, self._hard_negatives = [len(examples) for examples in sets], weights, hard_negatives
        for size, weight in zip(self._sizes, weights, strict=True):
            if not 0 < weight < math.inf:
                raise UsageError(f"a weight must be a number larger than 0, got {weight}; leave the set out instead")
            if weight < 1 and not round(size * weight):
                raise UsageError(f"weight {weight} of a set of {counted(size, 'example')} leaves none; give it more")

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """The numbers of the pairs of one epoch, shuffled."""
        pieces, first = [], 0
        for size, weight in zip(self._sizes, self._weights, strict=True):
            whole = np.arange(first, first + size)
            pieces += [whole] * int(weight)
            pieces.append(generator.permutation(whole)[: round(size * (weight % 1))])
            first += size
        return generator.permutation(np.concatenate(pieces))

    def pairs(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[Pair]:
        """Numbered pairs, with what is random in them drawn from the generator."""
        return [self._pair(*draw) for draw in self.draws(numbers, generator)]

    def count_examples(self) -> tuple[int, int]:
        """How many examples there are, and how many of them have no hard negative."""
        return len(self._examples), sum(1 for example in self._examples if not example.hard_negatives)

    def candidates(self) -> list[Candidates]:
        """Each example's question with its positives and then its hard negatives."""
        return [Candidates(e.question.text, e.positives + e.hard_negatives) for e in self._examples]

    def draws(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[tuple[int, list[int]]]:
        """The numbers, each with the places among its candidates of the positive and the negatives that are drawn."""
        return [(number, self._drawn(self._examples[number], generator)) for number in numbers.tolist()]

    def with_scores(self, scores: Sequence[Scores]) -> ExampleSource:
        """The same source, whose pairs have the scores that a teacher gave to the candidates of each example."""
        taught = copy(self)
        taught._scores = scores
        return taught

    def _drawn(self, example: TrainingExample, generator: np.random.Generator) -> list[int]:
        positives, negatives = len(example.positives), len(example.hard_negatives)
        chosen = int(generator.integers(positives))
        count = min(self._hard_negatives, negatives)
        drawn = generator.choice(negatives, count, replace=False).tolist() if count else []
        return [chosen, *(positives + place for place in drawn)]

    def _pair(self, number: int, places: Sequence[int]) -> Pair:
        example = self._examples[number]
        chosen, *drawn = places
        positives = example.positives
        return Pair(
            example.question.text,
            positives[chosen],
            [example.hard_negatives[place - len(positives)] for place in drawn],
            positives[:chosen] + positives[chosen + 1 :],
            self._scores[number][places].tolist() if self._scores is not None else (),
        )


class InverseClozeSource:
    """A sentence asks for the passage that it was taken from (ORQA, Lee et al. 2019, section 4).

    In 90 % of the pairs the sentence is taken out of the passage, so that meaning is learned; in the
    others it stays, so that words are learned too.

    Raises:
        InputError: no passage has two sentences.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        usable = [passage.number for passage in collection.passages_after(0) if sentences(passage.text)]
        if not usable:
            raise InputError(
                f"{collection.directory} has no passage with two sentences, one of {SENTENCE_WORDS[0]} words or more; "
                "add other documents, or train on questions"
            )
        self._numbers = np.array(usable, dtype=np.int64)

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """The numbers of the pairs of one epoch, shuffled."""
        return generator.permutation(self._numbers)

    def pairs(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[Pair]:
        """Numbered pairs, with what is random in them drawn from the generator."""
        passages = self._collection.passages(numbers.tolist())
        if gone := [number for number in numbers.tolist() if number not in passages]:
            raise StateError(
                f"passage {gone[0]} is no longer in {self._collection.directory}, whose documents were changed during "
                "the training; start a training on a copy made with 'opendpr backup' if they change often"
            )
        return [_cloze(passages[number], generator) for number in numbers.tolist()]


def _cloze(passage: Passage, generator: np.random.Generator) -> Pair:
    choices = sentences(passage.text)
    first, last = choices[int(generator.integers(len(choices)))]
    if generator.random() < KEPT_SHARE:
        text = passage.text
    else:
        text = f"{passage.text[:first].rstrip()} {passage.text[last:].lstrip()}".strip()
    whole = ExamplePassage(passage.title, passage.text)
    return Pair(passage.text[first:last].strip(), ExamplePassage(passage.title, text), others=(whole,))


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of the sentences that can serve as a question; none in a text of one sentence."""
    ends = [match.end() for match in _BETWEEN_SENTENCES.finditer(text)]
    borders = list(zip([0, *ends], [*ends, len(text)], strict=True))
    fewest, most = SENTENCE_WORDS
    return [(a, b) for a, b in borders if fewest <= len(text[a:b].split()) <= most] if len(borders) > 1 else []
