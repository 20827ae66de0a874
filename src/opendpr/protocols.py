"""The verbs of opendpr: what its parts ask of each other. Shapes in the letters of `types.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from opendpr.types import Hit, Neighbours, Numbers, Passage, Scores, Span, Vectors, WordCounts


class Encoder(Protocol):
    """Maps questions and passages to vectors whose inner product is their similarity (paper section 3.1)."""

    @property
    def dim(self) -> int:
        """Size d of a vector."""
        ...

    def encode_questions(self, questions: Sequence[str]) -> Vectors:
        """Encode questions. -> (Q, d)"""
        ...

    def encode_passages(self, passages: Sequence[Passage]) -> Vectors:
        """Encode passages. -> (n, d), in the order of `passages`."""
        ...


class VectorIndex(Protocol):
    """Maximum inner product search over numbered vectors. Knows nothing of text."""

    @property
    def dim(self) -> int: ...

    def __len__(self) -> int: ...

    def search(self, vectors: Vectors, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k largest inner products for each row of `vectors` (Q, d), among `allowed` if that is not None."""
        ...

    def score(self, vector: Vectors, numbers: Numbers) -> Scores:
        """(n,): the inner product of one vector (d,) with each numbered one, `-inf` for one not in the index."""
        ...


class TextIndex(Protocol):
    """Search by the words that question and passage share."""

    def search(self, question: str, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k best passages of one question (Q = 1), among `allowed` if that is not None."""
        ...

    def score(self, question: str, numbers: Numbers) -> Scores:
        """(n,): the score of each numbered passage, 0 where nothing is shared."""
        ...

    def count_words(self, question: str) -> WordCounts:
        """Count in how many passages each word of a question occurs."""
        ...


class Retriever(Protocol):
    """Finds passages for questions."""

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first, ties by number, of documents that meet `where`."""
        ...


class Reader(Protocol):
    """Marks the words that answer."""

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """For each question the best spans of its passages, best first."""
        ...
