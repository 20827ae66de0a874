"""DPR's files: `psgs_w100.tsv`, tables of questions (`.qa.csv`), training files and retrieval results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.interop.gold import answers_of, question_of
from opendpr.interop.literals import parse_strings, write_strings
from opendpr.interop.nouns import Placed, Ranking
from opendpr.interop.own import example_fields, example_passage, examples_of_groups
from opendpr.interop.ranked import RawRanking, hits_of, once
from opendpr.interop.records import checked, identifier, objects, read_records, text, words, write_array
from opendpr.interop.start import Start
from opendpr.interop.tables import read_rows, write_rows
from opendpr.storage.compression import uncompressed_name
from opendpr.storage.lines import json_line, write_lines
from opendpr.types import Document, ExamplePassage, Question, TrainingExample
from opendpr.wording import counted

PASSAGES_HEADER = ["id", "text", "title"]
"""The text comes before the title."""
PASSAGE_FIELDS = ("positive_ctxs", "hard_negative_ctxs", "negative_ctxs")
"""Fields with the passages of an example."""
ANSWER_LIST = re.compile(r'\s*"?\s*[\[(].*[\])]\s*"?\s*')
"""A list of answers, perhaps quoted."""


def is_passages(start: Start) -> bool:
    """Whether a table has a header with `id` and `text`."""
    return {"id", "text"} <= set(start.header)


def read_passages(start: Start) -> Iterator[Placed[Document]]:
    """Rows as in `psgs_w100.tsv`: quoted as in CSV, after a header of `id`, `text` and perhaps `title` in any order."""
    rows = read_rows(start.path, start.quoting, start.separator)
    next(rows)
    at = {name: number for number, name in enumerate(start.header)}
    for place, row in rows:
        if len(row) != len(start.header):
            raise InputError(
                f"{place}: expected {counted(len(start.header), 'field')} as in the header, found {len(row)}"
            )
        if not row[at["id"]]:
            raise InputError(f"{place}: expected 'id' to say something, found an empty field")
        title = row[at["title"]] if "title" in at else ""
        yield Placed(place, Document(row[at["id"]], title, row[at["text"]]))


def write_passages(path: Path, passages: Iterable[Document]) -> int:
    """Write `psgs_w100.tsv` and return how many."""
    rows = ([passage.id, passage.text, passage.title] for passage in passages)
    return write_rows(path, chain([PASSAGES_HEADER], rows)) - 1


def is_questions(start: Start) -> bool:
    """Whether a table's first row has a list of answers, or a question in quotation marks."""
    row = start.row
    return bool(row) and (row[0].startswith('"') or (len(row) == 2 and bool(ANSWER_LIST.fullmatch(row[1]))))


def read_questions(start: Start) -> Iterator[Question]:
    """Rows `question <tab> ['answer', ...]`, quoted as in CSV."""
    for place, fields in read_rows(start.path, start.quoting):
        if len(fields) != 2:
            raise InputError(f"{place}: expected question, tab, list of answers, found {counted(len(fields), 'field')}")
        try:
            answers = parse_strings(fields[1])
        except ValueError as error:
            raise InputError(
                f'{place}: the answers cannot be read: {error}; write them as a list, ["Paris", "Rome"]'
            ) from None
        if not fields[0].strip():
            raise InputError(f"{place}: expected a question in words, found {fields[0]!r:.60}")
        answers = tuple(checked(answer, "answers", place) for answer in answers)
        yield Question(place.rpartition(":")[2], fields[0], answers)


def write_questions(path: Path, questions: Iterable[Question]) -> int:
    """Write a table of questions and answers and return how many; ids are left out."""
    return write_rows(path, ((question.text, write_strings(question.answers)) for question in questions))


def read_examples(start: Start) -> Iterator[TrainingExample]:
    """Records of a question with `positive_ctxs`, `hard_negative_ctxs` and `negative_ctxs`."""
    return examples_of_groups(start, PASSAGE_FIELDS)


def read_results(start: Start) -> Iterator[TrainingExample]:
    """Retrieval results as examples, which DPR's reader is trained on: what `has_answer` says of each of the `ctxs`.

    Raises:
        InputError: a passage does not say whether it has an answer.
    """
    for record in read_records(start.path):
        groups: tuple[list[ExamplePassage], list[ExamplePassage]] = ([], [])
        for n, fields in enumerate(objects(record.fields, "ctxs", record.place), start=1):
            place = f"{record.place}: ctxs {n}"
            if not isinstance(fields.get("has_answer"), bool):
                raise InputError(
                    f"{place}: expected 'has_answer', by which passages become positives and negatives, found none; "
                    "mining makes examples out of questions and a collection"
                )
            groups[not fields["has_answer"]].append(example_passage(fields, place))
        positives, negatives = map(tuple, groups)
        yield TrainingExample(question_of(record), positives, negatives)


def write_examples(path: Path, examples: Iterable[TrainingExample]) -> int:
    """Write a JSON array, or JSON lines where the path says so, and return how many."""
    return _write_records(path, map(_example_fields, examples))


def _example_fields(example: TrainingExample) -> dict[str, Any]:
    """DPR's names; its readers ask for a score and an id in every passage."""
    fields = example_fields(example, "passage_id", PASSAGE_FIELDS)
    fields.pop("id")
    for passage in (passage for name in PASSAGE_FIELDS for passage in fields[name]):
        passage.setdefault("score", 0)
        passage.setdefault("passage_id", "")
    return fields


def read_run(start: Start) -> Iterator[RawRanking]:
    """Retrieval results: records of a question with its `ctxs`."""
    for place, number, fields in read_records(start.path):
        if "ctxs" not in fields:
            raise InputError(f"{place}: expected 'ctxs', found only {str(list(fields))[:100]}")
        id = identifier(fields, "id", place, str(number))
        question, system = words(fields, "question", place), text(fields, "retriever", place, "")
        ranking = Ranking(id, question, answers_of(fields, place), system, ())
        yield RawRanking(place, ranking, hits_of(fields, "ctxs", place))


def write_run(path: Path, rankings: Iterable[Ranking]) -> int:
    """Write retrieval results, a JSON array or JSON lines where the path says so, and return how many.

    Raises:
        InputError: a question or the text of a passage is not known, or a question is there twice.
    """
    return _write_records(path, map(_run_fields, once(rankings)))


def _run_fields(ranking: Ranking) -> dict[str, Any]:
    """DPR's form. Its scores are strings; `has_answer` is left out where it is not known."""
    refuse_unknown_texts(ranking, "DPR")
    ctxs: list[dict[str, Any]] = []
    for hit in ranking.hits:
        ctxs.append({"id": hit.id, "title": hit.title, "text": hit.text, "score": str(hit.score)})
        if hit.has_answer is not None:
            ctxs[-1]["has_answer"] = hit.has_answer
    return {"question": ranking.question, "answers": list(ranking.answers), "ctxs": ctxs}


def refuse_unknown_texts(ranking: Ranking, system: str) -> None:
    """Raises InputError if the question or a passage has no text, which the system's form needs."""
    if not ranking.question:
        raise InputError(
            f"the question of {ranking.id!r} is not in the run, {system}'s form needs it; give --questions FILE"
        )
    for hit in ranking.hits:
        if hit.text is None:
            raise InputError(
                f"question {ranking.id!r}: the run has no text for passage {hit.id!r}, {system}'s form needs it; name "
                "the collection that was searched with --collection"
            )


def _write_records(path: Path, records: Iterator[dict[str, Any]]) -> int:
    if uncompressed_name(path).suffix.lower() in (".jsonl", ".ndjson"):
        return write_lines(path, map(json_line, records))
    return write_array(path, records)
