"""SQuAD, versions 1 and 2, and the JSON lines of marked answers that the reader is trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.interop.arrays import read_array
from opendpr.interop.records import Fields, head, identifier, is_squad, objects, text, texts, words
from opendpr.storage.compression import open_output
from opendpr.storage.lines import json_kind, json_line, read_jsonl, write_lines
from opendpr.types import Question


@dataclass(frozen=True, slots=True)
class MarkedQuestion:
    """A question about a passage in which its answers are marked: `passage[start : start + len(text)] == text`."""

    id: str
    question: str
    title: str
    passage: str
    marks: tuple[tuple[int, str], ...]
    """(start, text) of each answer; none if the passage does not answer the question."""
    answers: tuple[str, ...] = ()
    """Accepted answers, each once."""

    def to_question(self) -> Question:
        """The question without its passage."""
        return Question(self.id, self.question, self.answers)


def read_squad(path: Path) -> Iterator[MarkedQuestion]:
    """Yield the questions of a SQuAD file, of which one article at a time is in memory.

    Raises:
        InputError: the file is no SQuAD JSON, or a passage does not hold an answer where it says.
    """
    for place, article in read_array(path, "data"):
        if not isinstance(article, dict):
            raise InputError(f"{place}: expected an article, an object, found {json_kind(article)}")
        title = text(article, "title", place, "")
        for paragraph in objects(article, "paragraphs", place):
            passage = text(paragraph, "context", place)
            for fields in objects(paragraph, "qas", place):
                yield _marked(fields, title, passage, place)


def read_marked(path: Path) -> Iterator[MarkedQuestion]:
    """Yield the questions of a SQuAD file, or of JSON lines `question, passage, answer_start, answer_text`.

    Raises:
        InputError: the file cannot be read, or an answer is not where it says.
    """
    if is_squad(head(path)):
        yield from read_squad(path)
        return
    for line, fields in read_jsonl(path):
        place = f"{path}:{line}"
        marked = text(fields, "answer_text", place)
        passage = text(fields, "passage", place)
        mark = _mark(fields.get("answer_start"), marked, passage, place)
        yield MarkedQuestion(
            identifier(fields, "id", place, str(line)),
            words(fields, "question", place),
            text(fields, "title", place, ""),
            passage,
            (mark,),
            texts(fields, "answers", place) or (marked,),
        )


def write_marked(path: Path, questions: Iterable[MarkedQuestion]) -> int:
    """Write the JSON lines that `opendpr train reader` reads, and return how many; the first mark counts.

    Raises:
        InputError: a question has no answer.
    """

    def lines() -> Iterator[str]:
        for each in questions:
            if not each.marks:
                raise InputError(f"question {each.id!r} has no answer in its passage; leave it out")
            start, answer = each.marks[0]
            yield json_line(
                {
                    "id": each.id,
                    "question": each.question,
                    "title": each.title,
                    "passage": each.passage,
                    "answers": list(each.answers),
                    "answer_start": start,
                    "answer_text": answer,
                }
            )

    return write_lines(path, lines())


def write_squad(path: Path, questions: Iterable[MarkedQuestion]) -> int:
    """Write SQuAD, version 2, and return how many questions.

    Consecutive questions of one title become an article, those of one passage a paragraph.
    """
    count = 0
    with open_output(path) as file:
        file.write(b'{"version": "v2.0", "data": [')
        for number, (title, group) in enumerate(groupby(questions, key=lambda each: each.title)):
            paragraphs: list[dict[str, Any]] = []
            for passage, marked in groupby(group, key=lambda each: each.passage):
                paragraphs.append({"context": passage, "qas": [_qa(each) for each in marked]})
                count += len(paragraphs[-1]["qas"])
            line = json_line({"title": title, "paragraphs": paragraphs}).rstrip("\n")
            file.write((",\n" if number else "\n").encode() + line.encode())
        file.write(b"\n]}\n")
    return count


def _qa(each: MarkedQuestion) -> dict[str, object]:
    answers = [{"text": answer, "answer_start": start} for start, answer in each.marks]
    return {"id": each.id, "question": each.question, "answers": answers, "is_impossible": not answers}


def _marked(fields: Fields, title: str, passage: str, place: str) -> MarkedQuestion:
    id = identifier(fields, "id", place)
    place = f"{place}: question {id}"
    answers = objects(fields, "answers", place)
    if fields.get("is_impossible") is True and answers:
        raise InputError(f"{place} is called impossible and has answers; it can be one of the two")
    marks = tuple(_mark(each.get("answer_start"), text(each, "text", place), passage, place) for each in answers)
    accepted = tuple(dict.fromkeys(answer for _, answer in marks))
    return MarkedQuestion(id, words(fields, "question", place), title, passage, marks, accepted)


def _mark(start: object, answer: str, passage: str, place: str) -> tuple[int, str]:
    if not isinstance(start, int) or isinstance(start, bool) or start < 0:
        raise InputError(f"{place}: expected 'answer_start' to be an offset, found {json_kind(start)}")
    if (found := passage[start : start + len(answer)]) != answer:
        raise InputError(f"{place}: the passage holds {found!r:.80} at {start}, not {answer!r:.80}; fix the offset")
    return start, answer
