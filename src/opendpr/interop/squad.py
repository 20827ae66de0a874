"""SQuAD, versions 1 and 2: nested in articles and paragraphs, or flat rows as `datasets` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.interop.gold import QUESTION_IDS, answers_of
from opendpr.interop.json_stream import read_array
from opendpr.interop.nouns import MarkedQuestion
from opendpr.interop.records import Fields, identifier, objects, read_records, text, words
from opendpr.interop.start import Start
from opendpr.storage.compression import open_output
from opendpr.storage.lines import json_kind, json_line
from opendpr.types import Question


def is_squad(start: Start) -> bool:
    """Whether the first record is SQuAD's: a file, an article, a paragraph, or a question with its passage."""
    fields = start.fields
    if any(isinstance(fields.get(name), list) for name in ("data", "paragraphs", "qas")):
        return True
    answers = fields.get("answers")
    marked = isinstance(answers, dict) or (
        isinstance(answers, list) and not any(isinstance(answer, str) for answer in answers)
    )
    return "question" in fields and isinstance(fields.get("context"), str) and marked


def read_marked(start: Start) -> Iterator[MarkedQuestion]:
    """The questions of a file, of which one record at a time is in memory: an article, where it is nested.

    The file is one object with `data`, a JSON array, or JSON lines; what they hold are articles, paragraphs, or
    rows of a question with its `context`.

    Raises:
        InputError: something is none of these, or a passage does not hold an answer where it says.
    """
    if start.is_one_object and isinstance(start.fields.get("data"), list):
        for place, article in read_array(start.path, "data"):
            yield from _questions(article, "", "", place)
    else:
        for place, _, fields in read_records(start.path):
            yield from _questions(fields, "", "", place)


def read_questions(start: Start) -> Iterator[Question]:
    """The same without their passages."""
    return (marked.to_question() for marked in read_marked(start))


def _questions(fields: object, title: str, passage: str, place: str) -> Iterator[MarkedQuestion]:
    """The questions in a part of a file, whose title and passage are those of what it lies in."""
    if not isinstance(fields, dict):
        raise InputError(f"{place}: expected an article, an object, found {json_kind(fields)}")
    title = text(fields, "title", place, title)
    inner = next((name for name in ("data", "paragraphs", "qas") if name in fields), None)
    if inner == "qas" or (inner is None and "context" in fields):
        passage = text(fields, "context", place)
    if inner is not None:
        for part in objects(fields, inner, place):
            yield from _questions(part, title, passage, place)
    elif "question" in fields:
        yield _marked(fields, title, passage, place)
    else:
        raise InputError(
            f"{place}: expected an article with 'paragraphs', a paragraph with 'qas', or a 'question' with its "
            f"'context', found only {str(list(fields))[:100]}"
        )


def _marked(fields: Fields, title: str, passage: str, place: str) -> MarkedQuestion:
    id = identifier(fields, QUESTION_IDS, place)
    place = f"{place}: question {id}"
    answers = _answers(fields, place)
    if not answers and (unmarked := answers_of(fields, place)):
        raise InputError(
            f"{place}: expected 'answers' with 'text' and 'answer_start', found {unmarked[0]!r:.60} without its place"
        )
    if fields.get("is_impossible") is True and any(answer for _, answer in answers):
        raise InputError(f"{place} is called impossible and has answers; it can be one of the two")
    marks = tuple(mark_of(start, answer, passage, place) for start, answer in answers)
    accepted = tuple(dict.fromkeys(answer for _, answer in marks))
    return MarkedQuestion(id, words(fields, "question", place), title, passage, marks, accepted)


def _answers(fields: Fields, place: str) -> list[tuple[object, str]]:
    """Start and text of each answer, from a list of objects or from an object of two lists."""
    answers = fields.get("answers")
    if isinstance(answers, dict):
        starts, answer_texts = (
            [value] if isinstance(value, str | int) else value
            for value in (answers.get("answer_start", []), answers.get("text", []))
        )
        if not isinstance(starts, list) or not isinstance(answer_texts, list) or len(starts) != len(answer_texts):
            raise InputError(f"{place}: expected 'answers' to have as many of 'answer_start' as of 'text'")
        answers = [{"answer_start": start, "text": answer} for start, answer in zip(starts, answer_texts, strict=True)]
    return [
        (answer.get("answer_start"), text(answer, "text", place))
        for answer in objects({"answers": answers}, "answers", place)
    ]


def mark_of(start: object, answer: str, passage: str, place: str) -> tuple[int, str]:
    """Start and text of an answer, which must be in the passage there; an empty one is nowhere.

    Raises:
        InputError: it is not there.
    """
    if not answer:
        return 0, answer
    if not isinstance(start, int) or isinstance(start, bool) or start < 0:
        raise InputError(f"{place}: expected 'answer_start' to be an offset, found {json_kind(start)}")
    if (marked := passage[start : start + len(answer)]) != answer:
        raise InputError(f"{place}: the passage holds {marked!r:.80} at {start}, not {answer!r:.80}; fix the offset")
    return start, answer


def write_squad(path: Path, questions: Iterable[MarkedQuestion]) -> int:
    """Write SQuAD, version 2, and return how many questions.

    Consecutive questions of one title become an article, those of one passage a paragraph.
    """
    count = 0
    with open_output(path) as file:
        file.write(b'{"version": "v2.0", "data": [')
        for number, (title, group) in enumerate(groupby(questions, key=lambda question: question.title)):
            paragraphs: list[dict[str, Any]] = []
            for passage, marked in groupby(group, key=lambda question: question.passage):
                paragraphs.append({"context": passage, "qas": [_qa(question) for question in marked]})
                count += len(paragraphs[-1]["qas"])
            line = json_line({"title": title, "paragraphs": paragraphs}).rstrip("\n")
            file.write((",\n" if number else "\n").encode() + line.encode())
        file.write(b"\n]}\n")
    return count


def _qa(question: MarkedQuestion) -> dict[str, object]:
    answers = [{"text": answer, "answer_start": start} for start, answer in question.marks]
    return {"id": question.id, "question": question.question, "answers": answers, "is_impossible": not answers}
