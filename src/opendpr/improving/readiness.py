"""How many judged questions there are, and what is missing until something can be learned from them."""

from __future__ import annotations

from typing import NamedTuple

from opendpr.collection import Collection
from opendpr.collection.judgements import count_questions, judgements
from opendpr.improving.parts import Parts, divide
from opendpr.improving.questions import JudgedQuestions, judged_questions
from opendpr.improving.settings import LEAST_PART, LEAST_QUESTIONS
from opendpr.wording import counted


class Readiness(NamedTuple):
    """The judged questions of a collection."""

    judged: int
    """How many were judged, whatever was said of their answers."""
    usable: JudgedQuestions
    """Those that teach something."""
    parts: Parts

    @property
    def missing(self) -> str:
        """What is missing until a round can begin, as a sentence; empty if nothing is."""
        usable = len(self.usable.questions)
        if usable < LEAST_QUESTIONS:
            verb = "question is" if self.judged == 1 else "questions are"
            beginning = (
                f"{self.judged:,} {verb} judged"
                if usable == self.judged
                else f"{usable:,} of {counted(self.judged, 'judged question')} can be learned from"
            )
            return f"{beginning}, {LEAST_QUESTIONS} are needed: {LEAST_QUESTIONS - usable} more"
        learned, apart = (sum(bool(question.answers) for question in part) for part in self.parts)
        if min(learned, apart) < LEAST_PART:
            documents = {id for part in self.parts for question in part for id in question.document_ids}
            return (
                f"the judged questions are about {counted(len(documents), 'document')}, by which they are divided: "
                f"{counted(learned, 'question')} with an answer to learn from and {apart:,} to judge by, each part "
                f"needs {LEAST_PART}; judge questions about more documents"
            )
        return ""


def readiness(collection: Collection) -> Readiness:
    """Count the judged questions; it reads the documents that they are about.

    Raises:
        CorruptionError: a judgement is not what was written.
    """
    usable = judged_questions(judgements(collection))
    return Readiness(count_questions(collection), usable, divide(usable.questions))
