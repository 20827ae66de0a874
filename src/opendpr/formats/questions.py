"""Questions with what is known of their answers, out of a file of any known form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.formats.files import read_jsonl
from opendpr.types import Question


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file.

    JSON lines `{"question", "id"?, "answers"?, "match"? or "answers_are_regex"?, "document_id"? or "document_ids"?}`;
    a question without an id is called by its line number.

    Raises:
        InputError: the file cannot be read, or a line is not a question; the message has the line.
    """
    for line, record in read_jsonl(path):
        yield _question(record, line, f"{path}:{line}")


def _question(record: dict[str, Any], line: int, place: str) -> Question:
    text = record.get("question")
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{place}: expected a 'question' in words, found {text!r}")
    match = record.get("match", "regex" if record.get("answers_are_regex") else "string")
    if match not in ("string", "regex"):
        raise InputError(f"{place}: 'match' must be 'string' or 'regex', found {match!r}")
    document_ids = _strings(record, "document_ids", place)
    if isinstance(one := record.get("document_id"), str):
        document_ids = (one, *document_ids)
    return Question(str(record.get("id", line)), text, _strings(record, "answers", place), match, document_ids)


def _strings(record: dict[str, Any], name: str, place: str) -> tuple[str, ...]:
    values = record.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(f"{place}: '{name}' must be a list of strings, found {values!r:.60}")
    return tuple(values)
