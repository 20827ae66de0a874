"""Questions with what is known of their answers, in the forms of several systems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from opendpr.errors import InputError
from opendpr.interop.literals import parse_strings, write_strings
from opendpr.interop.records import Record, checked, head, identifier, is_squad, read_records, texts, words
from opendpr.interop.squad import read_squad
from opendpr.interop.tables import plain, read_columns, read_rows, write_rows
from opendpr.storage.compression import uncompressed_name
from opendpr.storage.lines import json_line, write_lines
from opendpr.types import Question

QuestionFormat = Literal["jsonl", "dpr", "beir", "msmarco"]
LIST = re.compile(r'\s*"?\s*[\[(].*[\])]\s*"?\s*')
"""A list of answers, perhaps quoted."""


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file, which is recognised by its content:

    - JSON lines `{"question", "id"?, "answers"?, "match"? or "answers_are_regex"?, "document_id"? or
      "document_ids"?}`;
    - a DPR table, `question <tab> ['answer', ...]`;
    - a DPR training file or retrieval result, a JSON array or JSON lines;
    - SQuAD, version 1 or 2;
    - BEIR's `queries.jsonl`, `{"_id", "text"}`;
    - MS MARCO's `queries.tsv`, `id <tab> question`.

    A question without an id is called by its line, or its place in the array.

    Raises:
        InputError: the file cannot be read or recognised, or something in it is no question; the message
            has the line.
    """
    start = head(path)
    if _is_named_table(path, start):
        yield from _tabular(path)
    elif is_squad(start):
        yield from (each.to_question() for each in read_squad(path))
    elif start.startswith(("{", "[")) or _name_says_json(path):
        for record in read_records(path):
            yield question_of(record)
    else:
        yield from _tabular(path)


def write_questions(path: Path, questions: Iterable[Question], format: QuestionFormat) -> int:
    """Write questions and return how many. `dpr` holds no ids, `beir` and `msmarco` hold no answers.

    Raises:
        InputError: a question does not fit the format.
    """
    if format == "jsonl":
        return write_lines(path, (json_line(question_fields(question)) for question in questions))
    if format == "dpr":
        return write_rows(path, ((question.text, write_strings(question.answers)) for question in questions))
    if format == "beir":
        return write_lines(path, (json_line({"_id": each.id, "text": each.text}) for each in questions))
    return write_lines(path, (f"{_column(question.id)}\t{plain(question.text)}\n" for question in questions))


def question_of(record: Record) -> Question:
    """The question of a JSON object, in our form, DPR's or BEIR's."""
    place, number, fields = record
    if "_id" in fields and "question" not in fields:
        return Question(identifier(fields, "_id", place), words(fields, "text", place))
    text = words(fields, "question", place)
    match = fields.get("match", "regex" if fields.get("answers_are_regex") else "string")
    if match not in ("string", "regex"):
        raise InputError(f"{place}: 'match' must be 'string' or 'regex', found {match!r:.60}")
    document_ids = texts(fields, "document_ids", place)
    if fields.get("document_id") is not None:
        document_ids = (identifier(fields, "document_id", place), *document_ids)
    id = identifier(fields, "id", place, str(number))
    return Question(id, text, texts(fields, "answers", place), match, document_ids)


def question_fields(question: Question) -> dict[str, object]:
    """A question as a JSON object in our form; what is as usual is left out."""
    fields: dict[str, object] = {"id": question.id, "question": question.text, "answers": list(question.answers)}
    if question.match != "string":
        fields["match"] = question.match
    if question.document_ids:
        fields["document_ids"] = list(question.document_ids)
    return fields


def _is_named_table(path: Path, start: str) -> bool:
    """Whether name and first line say that this is a table, though its first question may begin as JSON does."""
    return uncompressed_name(path).suffix.lower() in (".csv", ".tsv") and "\t" in start.partition("\n")[0]


def _name_says_json(path: Path) -> bool:
    return uncompressed_name(path).suffix.lower() in (".json", ".jsonl", ".ndjson")


def _tabular(path: Path) -> Iterator[Question]:
    """DPR's table has a list of answers in its second column, MS MARCO's has the question there."""
    first = next(read_columns(path, "\t"), None)
    if first is None:
        raise InputError(f"{path} holds no questions")
    place, fields = first
    if fields[0].startswith('"') or (len(fields) == 2 and LIST.fullmatch(fields[1])):
        yield from _dpr(path)
    elif len(fields) == 2 and not re.search(r"\s", fields[0].strip()):
        for place, (id, text) in _pairs(path):
            yield Question(id, _text(text, place))
    else:
        raise InputError(
            f"{place}: cannot tell what kind of questions these are, from {' <tab> '.join(fields)[:100]!r}; expected "
            "JSON, or two columns separated by a tab: question and list of answers (DPR), or id and question (MS MARCO)"
        )


def _dpr(path: Path) -> Iterator[Question]:
    for place, fields in read_rows(path):
        if len(fields) != 2:
            raise InputError(f"{place}: expected question, tab, list of answers, found {len(fields)} fields")
        try:
            answers = parse_strings(fields[1])
        except ValueError as error:
            raise InputError(f"{place}: the answers cannot be read: {error}") from None
        id = place.rpartition(":")[2]
        yield Question(id, _text(fields[0], place), tuple(checked(answer, "answers", place) for answer in answers))


def _pairs(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    for place, fields in read_columns(path, "\t"):
        if len(fields) != 2 or not fields[0]:
            raise InputError(f"{place}: expected id, tab, question, found {len(fields)} fields")
        yield place, (fields[0], fields[1])


def _text(text: str, place: str) -> str:
    if not text.strip():
        raise InputError(f"{place}: expected a question in words, found {text!r:.60}")
    return text


def _column(id: str) -> str:
    if plain(id) != id or not id:
        raise InputError(f"question id {id!r} cannot stand in a table; it is empty, or holds a tab or a line end")
    return id
