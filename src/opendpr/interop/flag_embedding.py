"""FlagEmbedding's training files, JSON lines of `query`, `pos` and `neg`; sentence-transformers reads them too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.interop.gold import question_of
from opendpr.interop.msmarco import passage_text
from opendpr.interop.records import Fields, finite, read_records, texts
from opendpr.interop.start import Start
from opendpr.storage.files import json_line, write_lines
from opendpr.types import ExamplePassage, Question, TrainingExample


def is_examples(start: Start) -> bool:
    """Whether the first record has a `query` with `pos`."""
    return {"query", "pos"} <= set(start.fields)


def read_questions(start: Start) -> Iterator[Question]:
    """The questions of training examples."""
    return (question_of(record, "query") for record in read_records(start.path))


def read_examples(start: Start) -> Iterator[TrainingExample]:
    """Records `query, pos, neg`, lists of texts, and perhaps their scores, `pos_scores` and `neg_scores`."""
    for record in read_records(start.path):
        place, _, fields = record
        positives, negatives = (_passages(fields, name, place) for name in ("pos", "neg"))
        yield TrainingExample(question_of(record, "query"), positives, negatives)


def _passages(fields: Fields, name: str, place: str) -> tuple[ExamplePassage, ...]:
    contents = texts(fields, name, place)
    scores: Sequence[Any] = fields.get(f"{name}_scores") or [None] * len(contents)
    if not isinstance(scores, list) or len(scores) != len(contents):
        raise InputError(f"{place}: expected as many '{name}_scores' as '{name}', {len(contents)}")
    return tuple(
        ExamplePassage("", text, "", None if score is None else finite(score, f"{name}_scores", place))
        for text, score in zip(contents, scores, strict=True)
    )


def write_examples(path: Path, examples: Iterable[TrainingExample]) -> int:
    """Write examples and return how many; a title is put before its text."""
    return write_lines(path, (json_line(_fields(example)) for example in examples))


def _fields(example: TrainingExample) -> dict[str, Any]:
    return {
        "query": example.question.text,
        "pos": [passage_text(passage) for passage in example.positives],
        "neg": [passage_text(passage) for passage in (*example.hard_negatives, *example.negatives)],
    }
