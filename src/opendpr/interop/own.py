"""Our own JSON lines: what `opendpr import` writes, and what every command that takes a file reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.interop.gold import QUESTION_IDS, answers_of, question_fields, question_of
from opendpr.interop.nouns import MarkedQuestion, Placed, Ranking
from opendpr.interop.ranked import RawRanking, hit_fields, hits_of
from opendpr.interop.records import Fields, identifier, number, objects, read_records, text, words
from opendpr.interop.squad import mark_of
from opendpr.interop.start import Start
from opendpr.storage.lines import json_line, write_lines
from opendpr.types import Document, ExamplePassage, Question, TrainingExample

PASSAGE_FIELDS = ("positives", "hard_negatives", "negatives")
"""Fields with the passages of an example."""


def read_questions(start: Start) -> Iterator[Question]:
    """Records with `question`, and perhaps `id`, `answers`, `match`, `document_id` or `document_ids`."""
    return map(question_of, read_records(start.path))


def write_questions(path: Path, questions: Iterable[Question]) -> int:
    """Write JSON lines and return how many."""
    return write_lines(path, (json_line(question_fields(question)) for question in questions))


def read_passages(start: Start) -> Iterator[Placed[Document]]:
    """Records with `id`, `text`, and perhaps `title`."""
    return json_passages(start, "id", "text")


def json_passages(start: Start, id: str, name: str) -> Iterator[Placed[Document]]:
    """Records whose id and text have these names."""
    for place, _, fields in read_records(start.path):
        document = Document(identifier(fields, id, place), text(fields, "title", place, ""), text(fields, name, place))
        yield Placed(place, document)


def write_passages(path: Path, passages: Iterable[Document]) -> int:
    """Write JSON lines and return how many."""
    return write_json_passages(path, passages, "id")


def write_json_passages(path: Path, passages: Iterable[Document], id: str) -> int:
    """Write JSON lines in which the id has this name, and return how many."""
    return write_lines(
        path, (json_line({id: passage.id, "title": passage.title, "text": passage.text}) for passage in passages)
    )


def read_examples(start: Start) -> Iterator[TrainingExample]:
    """Records of a question with `positives`, and perhaps `hard_negatives` and `negatives`."""
    return examples_of_groups(start, PASSAGE_FIELDS)


def examples_of_groups(
    start: Start, groups: tuple[str, str, str], question: str = "question"
) -> Iterator[TrainingExample]:
    """Records of a question with three lists of passages, which may be empty or missing save for the first."""
    for record in read_records(start.path):
        place, _, fields = record
        if groups[0] not in fields:
            raise InputError(f"{place}: expected '{groups[0]}', found only {str(list(fields))[:100]}")
        positives, hard, others = (
            tuple(
                example_passage(passage, f"{place}: {name} {n}")
                for n, passage in enumerate(objects(fields, name, place), 1)
            )
            for name in groups
        )
        yield TrainingExample(question_of(record, question), positives, hard, others)


def example_passage(fields: Fields, place: str) -> ExamplePassage:
    """A passage of an example."""
    return ExamplePassage(
        text(fields, "title", place, ""),
        text(fields, "text", place),
        identifier(fields, ("id", "passage_id", "psg_id", "docid"), place, ""),
        number(fields, "score", place),
    )


def write_examples(path: Path, examples: Iterable[TrainingExample]) -> int:
    """Write JSON lines and return how many."""
    return write_lines(path, (json_line(example_fields(example, "id", PASSAGE_FIELDS)) for example in examples))


def example_fields(example: TrainingExample, id: str, names: tuple[str, str, str]) -> dict[str, Any]:
    """An example as a JSON object, the passages' ids and the three lists under these names."""
    fields: dict[str, Any] = question_fields(example.question)
    groups = (example.positives, example.hard_negatives, example.negatives)
    for name, passages in zip(names, groups, strict=True):
        fields[name] = [_passage_fields(passage, id) for passage in passages]
    return fields


def _passage_fields(passage: ExamplePassage, id: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"title": passage.title, "text": passage.text}
    if passage.score is not None:
        fields["score"] = passage.score
    if passage.id:
        fields[id] = passage.id
    return fields


def read_marked(start: Start) -> Iterator[MarkedQuestion]:
    """Records `question, passage, answer_start, answer_text`, and perhaps `id`, `title` and `answers`."""
    for place, line, fields in read_records(start.path):
        answer, passage = text(fields, "answer_text", place), text(fields, "passage", place)
        yield MarkedQuestion(
            identifier(fields, QUESTION_IDS, place, str(line)),
            words(fields, "question", place),
            text(fields, "title", place, ""),
            passage,
            (mark_of(fields.get("answer_start"), answer, passage, place),),
            answers_of(fields, place),
        )


def write_marked(path: Path, questions: Iterable[MarkedQuestion]) -> int:
    """Write the JSON lines that `opendpr train reader` reads, and return how many; the first mark counts.

    Raises:
        InputError: a question has no answer.
    """
    return write_lines(path, (json_line(_marked_fields(question)) for question in questions))


def _marked_fields(question: MarkedQuestion) -> dict[str, Any]:
    if not question.marks:
        raise InputError(f"question {question.id!r} has no answer in its passage; leave it out")
    start, answer = question.marks[0]
    return {
        "id": question.id,
        "question": question.question,
        "title": question.title,
        "passage": question.passage,
        "answers": list(question.answers),
        "answer_start": start,
        "answer_text": answer,
    }


def read_run(start: Start) -> Iterator[RawRanking]:
    """Records of a question with its `hits`."""
    for place, line, fields in read_records(start.path):
        if "hits" not in fields:
            raise InputError(f"{place}: expected 'hits', found only {str(list(fields))[:100]}")
        yield RawRanking(
            place,
            Ranking(
                identifier(fields, "id", place, str(line)),
                words(fields, "question", place) if fields.get("question") else "",
                answers_of(fields, place),
                text(fields, "retriever", place, ""),
                (),
            ),
            hits_of(fields, "hits", place),
        )


def write_run(path: Path, rankings: Iterable[Ranking]) -> int:
    """Write JSON lines and return how many."""
    return write_lines(path, (json_line(_ranking_fields(ranking)) for ranking in rankings))


def _ranking_fields(ranking: Ranking) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": ranking.id, "question": ranking.question, "answers": list(ranking.answers)}
    return {**fields, "retriever": ranking.system, "hits": [hit_fields(hit) for hit in ranking.hits]}
