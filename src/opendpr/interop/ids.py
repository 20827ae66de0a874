"""Ids in files: each there once; and training examples of ids, joined with the files that hold their texts."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple, TypeVar

import numpy as np

from opendpr.errors import InputError
from opendpr.interop.nouns import Placed
from opendpr.types import Document, ExamplePassage, Question, TrainingExample

Value = TypeVar("Value")


def ids_once(read: Callable[[], Iterator[Placed[Document]]]) -> Iterator[Document]:
    """Yield the passages of a file; memory grows by eight bytes for each.

    Args:
        read: reads the file from its beginning

    Raises:
        InputError: at the end, an id was there twice.
    """
    hashes = array("q")
    for _, document in read():
        hashes.append(hash(document.id))
        yield document
    values = np.sort(np.frombuffer(hashes, dtype=np.int64))
    _refuse_again(read(), set(values[1:][values[1:] == values[:-1]].tolist()))


def _refuse_again(documents: Iterator[Placed[Document]], hashes: Set[int]) -> None:
    """Raises InputError at the second passage of an id, among those whose ids have these hashes."""
    first: dict[str, str] = {}
    for place, document in documents if hashes else ():
        if hash(document.id) in hashes and (before := first.setdefault(document.id, place)) != place:
            raise InputError(
                f"{place}: the id {document.id!r:.60} was given before, at {before}; each passage needs its own"
            )


class IdExample(NamedTuple):
    """Where an example is written, and its ids."""

    place: str
    question: str
    positives: tuple[str, ...]
    negatives: tuple[str, ...]


def by_id(questions: Iterable[Question], source: object) -> dict[str, Question]:
    """The questions by their ids.

    Raises:
        InputError: two have the same; the message begins with `source`.
    """
    questions_by_id: dict[str, Question] = {}
    for question in questions:
        if questions_by_id.setdefault(question.id, question) is not question:
            raise InputError(f"{source}: the id {question.id!r} is there twice; each question needs its own")
    return questions_by_id


def join(
    examples: Iterable[IdExample], questions: Mapping[str, Question], passages: Iterable[Document]
) -> Iterator[TrainingExample]:
    """The examples with their texts. The ids, and the passages that are named, are in memory.

    Args:
        questions: by their ids

    Raises:
        InputError: an id is in none of the files.
    """
    placed = [(_of_id(questions, example.question, "question", example.place), example) for example in examples]
    return join_passages(placed, passages)


def join_passages(
    examples: Sequence[tuple[Question, IdExample]], passages: Iterable[Document]
) -> Iterator[TrainingExample]:
    """Yield the examples of questions with the texts of their passages. The passages that are named are in memory.

    Raises:
        InputError: no passage has an id.
    """
    wanted = {id for _, example in examples for id in (*example.positives, *example.negatives)}
    texts = {doc.id: ExamplePassage(doc.title, doc.text, doc.id) for doc in passages if doc.id in wanted}
    for question, example in examples:
        positives, negatives = (
            tuple(_of_id(texts, id, "passage", example.place) for id in ids)
            for ids in (example.positives, example.negatives)
        )
        yield TrainingExample(question, positives, negatives)


def _of_id(values: Mapping[str, Value], id: str, noun: str, place: str) -> Value:
    if id not in values:
        raise InputError(f"{place}: no {noun} has the id {id!r:.60}; give the file that belongs to these ids")
    return values[id]
