"""Training examples for encoders: our JSON lines, DPR's training files, MS MARCO's triples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from opendpr.errors import InputError
from opendpr.interop.questions import question_fields, question_of
from opendpr.interop.records import Fields, Record, head, identifier, number, objects, read_records, text, write_array
from opendpr.interop.tables import plain, read_columns
from opendpr.storage.compression import uncompressed_name
from opendpr.storage.lines import json_line, write_lines
from opendpr.types import ExamplePassage, Question, TrainingExample

ExampleFormat = Literal["jsonl", "dpr", "msmarco"]
OURS = ("positives", "hard_negatives", "negatives")
DPR = ("positive_ctxs", "hard_negative_ctxs", "negative_ctxs")
MINE = (
    "; questions with answers alone have no passages yet: 'opendpr mine COLLECTION FILE -o examples.jsonl' finds them, "
    "train on what it writes"
)
"""What to do with pairs of questions and answers."""


def read_examples(path: Path) -> Iterator[TrainingExample]:
    """Yield the examples of a file, which is recognised by its content:

    - JSON lines `{"question", "answers"?, "positives": [{"title"?, "text", "id"?, "score"?}],
      "hard_negatives"?: [...], "negatives"?: [...]}`;
    - a DPR training file, a JSON array or JSON lines with `positive_ctxs` and so on;
    - MS MARCO's triples of texts, `question <tab> positive <tab> negative`.

    An example may have no positives, as some of DPR's have: what trains decides about it.

    Raises:
        InputError: the file cannot be read, or something in it is no example; the message has the line.
    """
    if head(path).startswith(("{", "[")):
        for record in read_records(path):
            yield _example(record)
        return
    for place, fields in read_columns(path, "\t"):
        if len(fields) != 3 or not all(field.strip() for field in fields):
            raise InputError(f"{place}: expected question, positive and negative between tabs, found {fields!r:.100}")
        question, positive, negative = fields
        asked = Question(place.rpartition(":")[2], question)
        yield TrainingExample(asked, (ExamplePassage("", positive),), (ExamplePassage("", negative),))


def refuse_pairs(path: Path) -> None:
    """Raises InputError if a file begins with a question that has neither passages nor a passage of its own."""
    if not head(path).startswith(("{", "[")):
        return
    for place, _, fields in islice(read_records(path), 1):
        if "question" in fields and not {OURS[0], DPR[0], "passage"} & set(fields):
            raise InputError(f"{place}: expected examples with passages, found only {str(list(fields))[:100]}{MINE}")


def write_examples(path: Path, examples: Iterable[TrainingExample], format: ExampleFormat) -> int:
    """Write examples and return how many records.

    `dpr` makes a JSON array, or JSON lines where the path says so. `msmarco` makes a line of each pair of a
    positive and a hard negative, without titles.
    """
    if format == "msmarco":
        return write_lines(path, _triples(examples))
    if format == "jsonl":
        return write_lines(path, (json_line(_fields(example, "id", OURS)) for example in examples))
    records = (_dpr_fields(example) for example in examples)
    if uncompressed_name(path).suffix.lower() in (".jsonl", ".ndjson"):
        return write_lines(path, map(json_line, records))
    return write_array(path, records)


def _example(record: Record) -> TrainingExample:
    place, _, fields = record
    names = DPR if DPR[0] in fields else OURS
    if names[0] not in fields:
        mine = MINE if "question" in fields else ""
        raise InputError(
            f"{place}: expected 'positives' or 'positive_ctxs', found only {str(list(fields))[:100]}{mine}"
        )
    positives, hard, others = (
        tuple(_passage(each, f"{place}: {name} {n}") for n, each in enumerate(objects(fields, name, place), start=1))
        for name in names
    )
    return TrainingExample(question_of(record), positives, hard, others)


def _passage(fields: Fields, place: str) -> ExamplePassage:
    id = next((name for name in ("id", "passage_id", "psg_id") if fields.get(name) is not None), "id")
    return ExamplePassage(
        text(fields, "title", place, ""),
        text(fields, "text", place),
        identifier(fields, id, place, ""),
        number(fields, "score", place),
    )


def _fields(example: TrainingExample, id: str, names: tuple[str, str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = question_fields(example.question)
    groups = (example.positives, example.hard_negatives, example.negatives)
    for name, passages in zip(names, groups, strict=True):
        fields[name] = [_passage_fields(passage, id) for passage in passages]
    return fields


def _dpr_fields(example: TrainingExample) -> dict[str, Any]:
    """DPR's names; its readers ask for a score and an id in every passage."""
    fields = _fields(example, "passage_id", DPR)
    fields.pop("id")
    for passage in (passage for name in DPR for passage in fields[name]):
        passage.setdefault("score", 0)
        passage.setdefault("passage_id", "")
    return fields


def _passage_fields(passage: ExamplePassage, id: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"title": passage.title, "text": passage.text}
    if passage.score is not None:
        fields["score"] = passage.score
    if passage.id:
        fields[id] = passage.id
    return fields


def _triples(examples: Iterable[TrainingExample]) -> Iterator[str]:
    for example in examples:
        for positive in example.positives:
            for negative in example.hard_negatives:
                yield f"{plain(example.question.text)}\t{plain(positive.text)}\t{plain(negative.text)}\n"
