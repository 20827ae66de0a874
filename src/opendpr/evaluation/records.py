"""What a run holds about a question. Names and order of the fields are those of the file: docs/evaluation.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from opendpr.types import Question

QUESTION_TYPE, SCAN_TYPE = "question", "scan"
"""What a record says that it is."""

Key = tuple[str, str, str]
"""Question set, question id, system."""


@dataclass(frozen=True)
class Ranked:
    """What was retrieved, best first."""

    ids: Sequence[str]
    scores: Sequence[float]


@dataclass(frozen=True)
class ReadAnswer:
    """The answer after a number of passages was read, with its measures."""

    text: str
    """Empty where the reader marked nothing."""
    confidence: float
    answerable: bool
    """Whether the answer was given, rather than "no answer found"."""
    rank: int | None
    """Rank, from 1, of the passage that the answer is from."""
    passage_id: str | None
    start: int | None
    """Offsets in the document."""
    end: int | None
    EM: float | None
    """Exact match; None, like F1, where there is no gold answer."""
    F1: float | None
    failure: str | None
    """Why a wrong answer is wrong, one of `failures.FAILURE_KINDS`."""


@dataclass(frozen=True)
class ShownText:
    """A passage that a report can show."""

    id: str
    title: str
    text: str
    start: int
    """Offset in the document."""


@dataclass(frozen=True)
class AnswerJudgement:
    """A question judged by its answers and gold documents."""

    answer_rank: int | None
    """Rank, from 1, of the first passage that holds an answer."""
    document_rank: int | None
    """Rank, from 1, of the first passage of a gold document."""
    answer_ranks: Sequence[int]
    """Ranks of all passages that hold an answer, rising."""
    hits: Ranked
    read: Mapping[int, ReadAnswer]
    """Number of passages read -> answer."""
    measures: Mapping[str, float]
    shown: Mapping[int, ShownText]
    """Rank -> passage: the first, the first that holds an answer, and those that answers are from."""
    problem: str | None
    """Patterns that could not be used."""


@dataclass(frozen=True)
class DocumentJudgement:
    """A question judged by the judgements of a test collection."""

    documents: Ranked
    judgements: Mapping[str, int]
    """Document -> relevance."""
    measures: Mapping[str, float]
    """Empty for a question without judgements."""


@dataclass(frozen=True)
class QuestionRecord:
    """What came of a question by one system."""

    set: str
    system: str
    question: Question
    judgement: AnswerJudgement | DocumentJudgement

    @property
    def key(self) -> Key:
        """What the record is about."""
        return self.set, self.question.id, self.system

    def as_json(self) -> dict[str, Any]:
        """The record as it is in the file."""
        return {
            "type": QUESTION_TYPE,
            "set": self.set,
            "question": self.question.id,
            "system": self.system,
            "text": self.question.text,
            "answers": self.question.answers,
            "match": self.question.match,
            "document_ids": self.question.document_ids,
            **asdict(self.judgement),
        }


@dataclass(frozen=True)
class FigureRecord:
    """What the figures of a run are made of in the record of a question."""

    key: Key
    measures: Mapping[str, float]
    failures: Mapping[int, str]
    """Number of passages read -> why the answer is wrong; without right ones."""
    answered: Mapping[int, bool]
    """Number of passages read -> whether an answer was given, rather than "no answer found"."""
    problem: str | None


@dataclass(frozen=True)
class ScanRecord:
    """The questions, by set, whose answer is nowhere in the collection."""

    absent: Mapping[str, Sequence[str]]

    def as_json(self) -> dict[str, Any]:
        """The record as it is in the file."""
        return {"type": SCAN_TYPE, "absent": self.absent}


def key_of(record: Mapping[str, Any]) -> Key:
    """What a question's record in the file is about."""
    return record["set"], record["question"], record["system"]


def parse_figure_record(record: Mapping[str, Any]) -> FigureRecord:
    """What figures are made of in a question's record, which may lack the rest."""
    answers = {int(read): answer for read, answer in record.get("read", {}).items()}
    failures = {read: answer["failure"] for read, answer in answers.items() if answer["failure"]}
    answered = {read: bool(answer.get("answerable")) for read, answer in answers.items()}
    return FigureRecord(key_of(record), record["measures"], failures, answered, record.get("problem"))


def parse_question_record(record: Mapping[str, Any]) -> QuestionRecord:
    """The inverse of `as_json`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: a field is missing or of another kind.
    """
    question = Question(
        record["question"], record["text"], tuple(record["answers"]), record["match"], tuple(record["document_ids"])
    )
    judgement = _document_judgement(record) if "documents" in record else _answer_judgement(record)
    return QuestionRecord(record["set"], record["system"], question, judgement)


def _document_judgement(record: Mapping[str, Any]) -> DocumentJudgement:
    return DocumentJudgement(Ranked(**record["documents"]), record["judgements"], record["measures"])


def _answer_judgement(record: Mapping[str, Any]) -> AnswerJudgement:
    return AnswerJudgement(
        answer_rank=record["answer_rank"],
        document_rank=record["document_rank"],
        answer_ranks=record["answer_ranks"],
        hits=Ranked(**record["hits"]),
        read={int(count): ReadAnswer(**answer) for count, answer in record["read"].items()},
        measures=record["measures"],
        shown={int(rank): ShownText(**passage) for rank, passage in record["shown"].items()},
        problem=record["problem"],
    )
