"""MRQA's JSON lines (Fisch et al., 2019): a header, then contexts with questions and where their answers are."""

from __future__ import annotations

from collections.abc import Iterator

from opendpr.errors import InputError
from opendpr.interop.gold import answers_of
from opendpr.interop.nouns import MarkedQuestion
from opendpr.interop.records import Fields, identifier, objects, read_records, text, words
from opendpr.interop.start import Start
from opendpr.text.answers import loosely_equal
from opendpr.types import Question

ID_FIELDS = ("qid", "id")
"""Names of the field that holds a question's id."""


def is_mrqa(start: Start) -> bool:
    """Whether the first record is MRQA's header, or has questions with `detected_answers`."""
    header, questions = start.fields.get("header"), start.fields.get("qas")
    if isinstance(header, dict) and "dataset" in header:
        return True
    first = questions[0] if isinstance(questions, list) and questions else None
    return isinstance(first, dict) and "detected_answers" in first


def read_marked(start: Start) -> Iterator[MarkedQuestion]:
    """Records `context, qas`; a question has `qid, question, answers, detected_answers`.

    Raises:
        InputError: the context does not hold an answer where it says.
    """
    for place, _, fields in read_records(start.path):
        if "header" in fields and "qas" not in fields:
            continue
        passage = text(fields, "context", place)
        for entry in objects(fields, "qas", place):
            id = identifier(entry, ID_FIELDS, place)
            at = f"{place}: question {id}"
            marks = tuple(_marks(entry, passage, at))
            answers = answers_of(entry, at) or tuple(dict.fromkeys(answer for _, answer in marks))
            yield MarkedQuestion(id, words(entry, "question", at), "", passage, marks, answers)


def read_questions(start: Start) -> Iterator[Question]:
    """The same without their passages."""
    return (question.to_question() for question in read_marked(start))


def _marks(fields: Fields, passage: str, place: str) -> Iterator[tuple[int, str]]:
    """Start and text of each place where an answer was detected; the last character of a span belongs to it."""
    for detected in objects(fields, "detected_answers", place):
        answer = words(detected, "text", place)
        for span in detected.get("char_spans") or ():
            match span:
                case [int(first), int(last)] if 0 <= first <= last < len(passage):
                    marked = passage[first : last + 1]
                case _:
                    raise InputError(
                        f"{place}: expected 'char_spans' to be pairs within the context, found {span!r:.60}"
                    )
            if marked != answer and not loosely_equal(marked, [answer]):
                raise InputError(
                    f"{place}: the context holds {marked!r:.80} at {first}, not {answer!r:.80}; fix the span"
                )
            yield first, marked
