"""Training examples that name questions and passages by id, joined with the files that hold their texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from opendpr.errors import InputError
from opendpr.types import Document, ExamplePassage, Question, TrainingExample

Value = TypeVar("Value")


class IdExample(NamedTuple):
    """Where an example is written, and its ids."""

    place: str
    question: str
    positives: tuple[str, ...]
    negatives: tuple[str, ...]


def join(
    examples: Iterable[IdExample], questions: Iterable[Question], passages: Iterable[Document]
) -> Iterator[TrainingExample]:
    """Yield the examples with their texts. The ids, and the passages that are named, are in memory.

    Raises:
        InputError: an id is in none of the files.
    """
    held = list(examples)
    wanted = {id for example in held for id in (*example.positives, *example.negatives)}
    texts = {each.id: ExamplePassage(each.title, each.text, each.id) for each in passages if each.id in wanted}
    asked = {question.id: question for question in questions}
    for example in held:
        positives, negatives = (
            tuple(_of_id(texts, id, "passage", example.place) for id in ids)
            for ids in (example.positives, example.negatives)
        )
        yield TrainingExample(_of_id(asked, example.question, "question", example.place), positives, negatives)


def _of_id(values: Mapping[str, Value], id: str, noun: str, place: str) -> Value:
    if id not in values:
        raise InputError(f"{place}: no {noun} has the id {id!r:.60}; give the file that belongs to these ids")
    return values[id]
