"""The nouns of opendpr: what flows between the parts.

Letters for shapes, used in every docstring:

    Q questions   n rows   M passages in the collection   k passages wanted
    d size of a vector   L tokens   B batch

An `id` is a string the outside world knows; a `number` is a passage's row in the collection.
A `score` grows with quality. Offsets count Unicode code points of the document's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
"""(n, d) or (Q, d), C-contiguous."""

Numbers: TypeAlias = NDArray[np.int64]
"""Passage numbers."""

Scores: TypeAlias = NDArray[np.float32]
"""Larger is better."""

NO_METADATA: Mapping[str, object] = MappingProxyType({})
EMPTY_COUNTS: Mapping[str, int] = MappingProxyType({})
CONFIDENCE_MEANINGS: Mapping[str, str] = MappingProxyType(
    {"span": "these words are the answer", "sentence": "the answer is in this sentence"}
)
"""What the confidence of an answer is the probability of, by the answer's kind."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text with an identity, before it is cut into passages."""

    id: str
    title: str
    text: str
    metadata: Mapping[str, object] = field(default_factory=lambda: NO_METADATA)


@dataclass(frozen=True, slots=True)
class Passage:
    """An exact slice of a document: `document.text[start : start + len(text)] == text`."""

    number: int
    document_id: str
    title: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its known answers, for training and evaluation."""

    id: str
    text: str
    answers: tuple[str, ...] = ()
    match: Literal["string", "regex"] = "string"
    document_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExamplePassage:
    """A passage of a training example; it need not be in any collection."""

    title: str
    text: str
    id: str = ""
    score: float | None = None
    """The score in the search that found it."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A question with passages that answer it and passages that look like it but do not (paper section 3.2)."""

    question: Question
    positives: tuple[ExamplePassage, ...]
    hard_negatives: tuple[ExamplePassage, ...] = ()
    negatives: tuple[ExamplePassage, ...] = ()
    """Passages that have nothing to do with the question."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage. `parts` holds the scores it is made of: `dense`, `bm25`.

    `copies` are other passages with the same text that the search returned too. `before` and `after` are words of the
    document right beyond the passage's borders, for the reader to see too, and so are the `column_names` of the table
    that `before` and the passage begin inside.
    """

    passage: Passage
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)
    copies: tuple[Passage, ...] = ()
    before: str = ""
    after: str = ""
    column_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Words that begin in a retrieved passage, and may end beyond it: `document.text[start:end] == text`.

    The reader's two logarithmic scores (paper section 6.1): `passage_score` is the selection logit, so log P_selected
    but for a number that all passages of the question share; `span_score` is log P_start + log P_end.
    """

    hit: Hit
    start: int
    end: int
    text: str
    passage_score: float
    span_score: float


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """The same words at one or several places of the documents, best place first.

    The properties are those of the best place: `document.text[answer.start : answer.end] == answer.text`.
    """

    text: str
    confidence: float
    """Probability in [0, 1] that these words are right; of a `sentence`, that the right words are in it."""
    spans: tuple[Span, ...]
    kind: Literal["span", "sentence"] = "span"
    """`sentence`: no words were likely enough, and the sentence that comes nearest is offered instead."""

    @property
    def confidence_means(self) -> str:
        """What the confidence is the probability of."""
        return CONFIDENCE_MEANINGS[self.kind]

    @property
    def passage(self) -> Passage:
        """The passage that the words were read in."""
        return self.spans[0].hit.passage

    @property
    def document_id(self) -> str:
        """The document that the words were read in."""
        return self.passage.document_id

    @property
    def start(self) -> int:
        """Where the words begin in the document's text."""
        return self.spans[0].start

    @property
    def end(self) -> int:
        """Where the words end in the document's text, exclusive."""
        return self.spans[0].end

    def __repr__(self) -> str:
        place = f", {self.document_id!r} [{self.start}:{self.end}]" if self.spans else ""
        meaning = f" that {self.confidence_means}" if self.kind == "sentence" else ""
        return f"Answer({self.text!r}, confidence={self.confidence:.2f}{meaning}{place})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of asking one question: answers, best first, possibly none.

    Where it is not answerable, the first is the sentence that comes nearest.
    """

    answers: tuple[Answer, ...]
    answerable: bool
    """False if the best answer is below the model's threshold: it is more likely wrong than the threshold allows."""

    @property
    def best(self) -> Answer | None:
        """The best answer; None if the documents do not answer the question."""
        return self.answers[0] if self.answerable and self.answers else None

    @property
    def phrases(self) -> tuple[Answer, ...]:
        """The answers that are words as they were read, without the sentence offered instead of them."""
        return tuple(answer for answer in self.answers if answer.kind == "span")


class WordCounts(NamedTuple):
    """How common the words of a question are in a collection."""

    passages: int = 0
    """How many the collection has; 0 where its words are not counted."""
    holding: Mapping[str, int] = EMPTY_COUNTS
    """In how many of them each word occurs, by the form in which it is searched for."""


class Neighbours(NamedTuple):
    """The k best passages of Q questions, best first, ties by number.

    Rows with fewer than k passages are padded with score `-inf` and number `-1`.
    """

    scores: Scores
    """(Q, k)"""
    numbers: Numbers
    """(Q, k)"""
