"""Tevatron's JSON lines: training examples with their passages or with ids of a corpus, queries and a corpus.

Its rankings are read as MS MARCO's are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.interop.gold import question_of
from opendpr.interop.ids import IdExample, join_passages
from opendpr.interop.nouns import Placed
from opendpr.interop.own import examples_of_groups, json_passages, write_json_passages
from opendpr.interop.records import Fields, identifier, read_records
from opendpr.interop.start import Start
from opendpr.storage.lines import json_kind, json_line, write_lines
from opendpr.types import Document, ExamplePassage, Question, TrainingExample

PASSAGE_FIELDS = ("positive_passages", "negative_passages", "negatives")
"""Fields with the passages of an example; the last one is ours alone."""


def read_passages(start: Start) -> Iterator[Placed[Document]]:
    """Records `docid, title, text`."""
    return json_passages(start, "docid", "text")


def write_passages(path: Path, passages: Iterable[Document]) -> int:
    """Write a corpus and return how many passages."""
    return write_json_passages(path, passages, "docid")


def read_questions(start: Start) -> Iterator[Question]:
    """Records `query_id` with `query` or `query_text`, and perhaps `answers`."""
    name = "query" if "query" in start.fields else "query_text"
    return (question_of(record, name) for record in read_records(start.path))


def read_examples(start: Start) -> Iterator[TrainingExample]:
    """Records `query_id, query, positive_passages, negative_passages`."""
    return examples_of_groups(start, PASSAGE_FIELDS, "query")


def is_id_examples(start: Start) -> bool:
    """Whether the first record names its passages by ids."""
    return {"query_text", "positive_document_ids"} <= set(start.fields)


def read_id_examples(start: Start, passages: Iterable[Document]) -> Iterator[TrainingExample]:
    """Records `query_id, query_text, positive_document_ids, negative_document_ids`, with the texts of a corpus.

    Raises:
        InputError: the corpus lacks an id.
    """
    placed = []
    for record in read_records(start.path):
        place, _, fields = record
        groups = (_ids(fields, name, place) for name in ("positive_document_ids", "negative_document_ids"))
        placed.append((question_of(record, "query_text"), IdExample(place, "", *groups)))
    return join_passages(placed, passages)


def _ids(fields: Fields, name: str, place: str) -> tuple[str, ...]:
    values = fields.get(name) or []
    if not isinstance(values, list):
        raise InputError(f"{place}: '{name}' must be a list of ids, found {json_kind(values)}")
    return tuple(identifier({name: value}, name, place) for value in values)


def write_examples(path: Path, examples: Iterable[TrainingExample]) -> int:
    """Write examples and return how many; hard negatives come first among the negatives."""
    return write_lines(path, (json_line(_fields(example)) for example in examples))


def _fields(example: TrainingExample) -> dict[str, Any]:
    question = example.question
    return {
        "query_id": question.id,
        "query": question.text,
        "answers": list(question.answers),
        "positive_passages": [_passage(passage) for passage in example.positives],
        "negative_passages": [_passage(passage) for passage in (*example.hard_negatives, *example.negatives)],
    }


def _passage(passage: ExamplePassage) -> dict[str, str]:
    return {"docid": passage.id, "title": passage.title, "text": passage.text}
