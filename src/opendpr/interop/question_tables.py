"""Tables of questions with a header, as people make them: `id`, `question`, `answers` between tabs or commas."""

from __future__ import annotations

from collections.abc import Iterator

from opendpr.errors import InputError
from opendpr.interop.gold import ANSWER_FIELDS, question_of
from opendpr.interop.literals import parse_strings
from opendpr.interop.records import Record
from opendpr.interop.start import Start
from opendpr.interop.tables import read_rows
from opendpr.types import Question
from opendpr.wording import counted

QUESTION_COLUMNS = ("question", "query")
"""Names of the column with the question."""


def is_questions(start: Start) -> bool:
    """Whether the first line is such a header, perhaps with other names among these."""
    return len(start.header) > 1 and any(name in start.header for name in QUESTION_COLUMNS)


def read_questions(start: Start) -> Iterator[Question]:
    """Rows with a question, and perhaps an id and answers: a list as in Python, or one answer as it is.

    Other columns are passed over, unless they seem to hold the answers.
    """
    rows = read_rows(start.path, start.quoting, start.separator)
    next(rows)
    name = next(name for name in QUESTION_COLUMNS if name in start.header)
    for place, row in rows:
        if len(row) != len(start.header):
            raise InputError(
                f"{place}: expected {counted(len(start.header), 'field')} as in the header, found {len(row)}"
            )
        fields = {column: _value(column, field, place) for column, field in zip(start.header, row, strict=True)}
        yield question_of(Record(place, int(place.rpartition(":")[2]), fields), name)


def _value(column: str, field: str, place: str) -> str | list[str] | None:
    """A field as it is, a list of answers, or None if it is empty."""
    if column in ANSWER_FIELDS and field.strip().startswith("["):
        try:
            return list(parse_strings(field))
        except ValueError as error:
            raise InputError(
                f'{place}: the answers cannot be read: {error}; write them as a list, ["Paris", "Rome"]'
            ) from None
    return field or None
