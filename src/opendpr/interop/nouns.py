"""What files of other systems hold that `opendpr.types` has no noun for: rankings, judgements, marked answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from opendpr.types import Question

Item = TypeVar("Item")


class Placed(NamedTuple, Generic[Item]):
    """An item of a file, with its place there, `file:line`."""

    place: str
    item: Item


@dataclass(frozen=True, slots=True)
class RunHit:
    """One passage, or document, of a ranking. `text` and `has_answer` are None where they are not known."""

    id: str
    score: float
    document_id: str | None = None
    title: str = ""
    text: str | None = None
    has_answer: bool | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a system retrieved for one question, best first. `question` is empty where a run has ids only."""

    id: str
    question: str
    answers: tuple[str, ...]
    system: str
    """Name of the retriever, or tag of the run."""
    hits: tuple[RunHit, ...]
    set: str = ""
    """Name of the set of questions, in a run over several."""


class Judgement(NamedTuple):
    """How relevant a document is to a question; 0 and less are not relevant."""

    question_id: str
    document_id: str
    relevance: int


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
