"""Judging answers: what was said at the page, by a program or in a file, stored in the collection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from opendpr.answering import check_question
from opendpr.collection import Collection
from opendpr.collection.judgements import (
    VERDICTS,
    Judgement,
    ShownAnswer,
    VerdictName,
    open_judgements,
    put_judgements,
)
from opendpr.errors import InputError, UsageError
from opendpr.interop import read_questions
from opendpr.interop.gold import ANSWER_FIELDS
from opendpr.interop.records import read_records
from opendpr.text.occurrences import answer_places
from opendpr.text.unicode import NOT_UNICODE, is_unicode
from opendpr.types import Question
from opendpr.wording import counted

ID_DIGITS = 12
"""Hexadecimal digits of a judgement's id."""
ANSWER_CHARACTERS = 1_000
"""Longest words that are judged, or were shown: an answer, not a passage."""
NO_ANSWERS = 'it has no answers; give it some, or "answers": [] if the documents do not answer it'
"""Why a question of a file is left out."""


class AnswerPlace(NamedTuple):
    """Where the judged words are: characters [start, end) of a document's text."""

    document_id: str
    start: int
    end: int
    text: str = ""
    """The words that must be there; empty for any."""


class LeftOutQuestion(NamedTuple):
    """A question of a file that became no judgement."""

    question: Question
    reason: str


class Added(NamedTuple):
    """What became of the questions of a file."""

    judgements: list[Judgement]
    left_out: list[LeftOutQuestion]


def judge(
    directory: Path,
    question: str,
    verdict: str,
    place: AnswerPlace | None = None,
    *,
    shown: ShownAnswer = ShownAnswer(),
    who: str = "",
) -> Judgement:
    """Store what was said of an answer; the same said again is stored once.

    Args:
        place: of the words that are right, wrong or better; None judges "no answer found"
        shown: the answer that was judged
        who: name of the token of a request

    Raises:
        UsageError: the question or the answer is empty or too long, there is no such verdict, or the place holds no
            words.
        InputError: there is no such document.
        StateError: there is no such collection.
    """
    check_question(question)
    for name, text in (("answer that was shown", shown.text), ("document's id", place.document_id if place else "")):
        if not is_unicode(text):
            raise UsageError(f"the {name} {text!r:.60} {NOT_UNICODE}; give it as it is listed")
    if verdict not in VERDICTS:
        raise UsageError(f"a verdict is one of {', '.join(VERDICTS)}, got {verdict!r:.60}")
    if verdict == "better" and place is None:
        raise UsageError("better words have a place in a document; give document, start and end")
    if len(shown.text) > ANSWER_CHARACTERS:
        raise UsageError(
            f"the answer that was shown has {len(shown.text):,} characters, an answer has at most "
            f"{ANSWER_CHARACTERS:,}; give the words of the answer, not of its passage"
        )
    with open_judgements(directory) as writer:
        words = _words(writer, place) if place else ""
        judgement = _judgement(question, verdict, words, place, shown=shown, who=who)
        put_judgements(writer, [judgement])
    return judgement


def _words(collection: Collection, place: AnswerPlace) -> str:
    """The words at a place; raises UsageError if they are none, or not those, InputError without its document."""
    text = collection.document(place.document_id).text
    if not 0 <= place.start < place.end <= len(text):
        raise UsageError(
            f"{place.document_id!r} has {counted(len(text), 'character')}; "
            f"there are no words from {place.start:,} to {place.end:,}"
        )
    if place.end - place.start > ANSWER_CHARACTERS:
        raise UsageError(
            f"the words are {place.end - place.start:,} characters long, at most {ANSWER_CHARACTERS:,} are taken for "
            "an answer; choose the words that answer"
        )
    words = text[place.start : place.end]
    if place.text and words != place.text:
        raise UsageError(
            f"{place.document_id!r} has other words there now, {words[:60]!r} instead of {place.text[:60]!r}; ask "
            "again, and judge what is answered then"
        )
    if not words.strip():
        raise UsageError(f"there are no words from {place.start:,} to {place.end:,} of {place.document_id!r}")
    return words


def _judgement(
    question: str,
    verdict: VerdictName,
    words: str,
    place: AnswerPlace | None,
    *,
    shown: ShownAnswer = ShownAnswer(),
    who: str = "",
) -> Judgement:
    """A judgement made now, whose id is that of the same one made before."""
    text, document_id, start = (
        " ".join(question.split()),
        place.document_id if place else "",
        place.start if place else 0,
    )
    said = json.dumps([text, verdict, words, document_id, start, who])
    id = hashlib.sha256(said.encode()).hexdigest()[:ID_DIGITS]
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return Judgement(id, made, text, verdict, words, document_id, start, who, shown)


def add_files(directory: Path, paths: Iterable[Path]) -> Added:
    """Store the questions of files, as `add_questions` does; all or none of them.

    A question without answers is one that the documents do not answer only if its record says so, by an empty list of
    answers. Where a file has no answers at all, as one of questions to ask, its questions are left out.

    Raises:
        InputError: a file cannot be read.
        StateError: there is no such collection.
        UsageError: a question is empty or too long.
    """
    left_out: list[LeftOutQuestion] = []

    def taken() -> Iterator[Question]:
        for path in paths:
            questions = list(read_questions(path))
            has_open = any(not question.answers for question in questions)
            unanswerable = _said_unanswerable(path) if has_open else frozenset()
            for question in questions:
                if question.answers or question.document_ids or " ".join(question.text.split()) in unanswerable:
                    yield question
                else:
                    left_out.append(LeftOutQuestion(question, NO_ANSWERS))

    added = add_questions(directory, taken())
    return Added(added.judgements, left_out + added.left_out)


def _said_unanswerable(path: Path) -> frozenset[str]:
    """Texts of the questions whose records have an empty list of answers; none in a file that has no such records."""
    texts = set()
    try:
        for _, _, fields in read_records(path):
            text = fields.get("question", fields.get("query"))
            if isinstance(text, str) and any(fields.get(name) == [] for name in ANSWER_FIELDS):
                texts.add(" ".join(text.split()))
    except InputError:  # a table, or the id of a data set: read already, in a form without such lists
        return frozenset()
    return frozenset(texts)


def add_questions(directory: Path, questions: Iterable[Question]) -> Added:
    """Store questions with known answers as if each answer had been judged right; all or none of them.

    An answer is stored at the first place of it in each document that its question names; without a document it has
    no place. A question with neither answers nor documents is one that the documents do not answer.

    Raises:
        StateError: there is no such collection.
        UsageError: a question is empty or too long.
    """
    added, left_out = [], []
    with open_judgements(directory) as writer:
        texts: dict[str, str | None] = {}
        for question in questions:
            check_question(question.text)
            try:
                added += list(_right(writer, question, texts))
            except InputError as error:
                left_out.append(LeftOutQuestion(question, str(error)))
        if added:
            put_judgements(writer, added)
    return Added(added, left_out)


def _right(writer: Collection, question: Question, texts: dict[str, str | None]) -> Iterator[Judgement]:
    """The judgements of a question; raises InputError if there is none."""
    if question.match == "regex":
        raise InputError("its answers are patterns; only words can be judged")
    if question.document_ids and not question.answers:
        raise InputError("it names a document, but no answer")
    if not question.document_ids:
        for answer in question.answers or ("",):
            yield _judgement(question.text, "right", answer, None)
        return
    placed = list(_placed(writer, question, texts))
    if not placed:
        documents = ", ".join(map(repr, question.document_ids))
        raise InputError(f"none of its answers occurs in {documents}")
    for words, place in placed:
        yield _judgement(question.text, "right", words, place)


def _placed(writer: Collection, question: Question, texts: dict[str, str | None]) -> Iterator[tuple[str, AnswerPlace]]:
    """Each answer with its first place in each document that holds it."""
    for id in question.document_ids:
        if id not in texts:
            texts[id] = writer.document(id).text if writer.has_document(id) else None
        for answer in question.answers:
            if (text := texts[id]) and (span := _first_place(answer, text)):
                yield text[span[0] : span[1]], AnswerPlace(id, *span)


def _first_place(answer: str, text: str) -> tuple[int, int] | None:
    start = text.find(answer)
    if answer.strip() and start >= 0:
        return start, start + len(answer)
    places: Sequence[tuple[int, int]] = answer_places([answer], text)
    return places[0] if places else None
