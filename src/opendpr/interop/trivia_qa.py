"""TriviaQA's own files (Joshi et al., 2017): one object whose `Data` has the questions with their aliases."""

from __future__ import annotations

from collections.abc import Iterator

from opendpr.errors import InputError
from opendpr.interop.json_stream import read_array
from opendpr.interop.records import identifier, text, texts, words
from opendpr.interop.start import Start
from opendpr.storage.lines import json_kind
from opendpr.types import Question


def is_questions(start: Start) -> bool:
    """Whether a file is one object with `Data`."""
    return isinstance(start.fields.get("Data"), list)


def read_questions(start: Start) -> Iterator[Question]:
    """Records `QuestionId, Question, Answer`; the value and the aliases of an answer are accepted, each once."""
    for place, fields in read_array(start.path, "Data"):
        if not isinstance(fields, dict):
            raise InputError(f"{place}: expected an object with 'Question', found {json_kind(fields)}")
        gold = fields.get("Answer") or {}
        if not isinstance(gold, dict):
            raise InputError(f"{place}: expected 'Answer' to be an object, found {json_kind(gold)}")
        accepted = dict.fromkeys([text(gold, "Value", place, ""), *texts(gold, "Aliases", place)] if gold else [])
        yield Question(identifier(fields, "QuestionId", place), words(fields, "Question", place), tuple(accepted))
