"""Questions with known answers, made of what was said of answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from opendpr.collection.judgements import Judgement
from opendpr.text import normalize_answer
from opendpr.types import Question
from opendpr.wording import counted

NO_BETTER = "the answer is wrong, and no better words are known"
CHANGED = "its document has other words there now"
GONE = "its document is gone"


class JudgedQuestions(NamedTuple):
    """What can be learned from judgements, and what cannot."""

    questions: list[Question]
    """In the order in which they were first judged; one without answers is not answered by the documents."""
    left_out: Mapping[str, list[str]]
    """Reason -> texts of the questions that are left out for it."""

    def describe(self) -> list[str]:
        """A line for each reason."""
        return [f"left out {counted(len(texts), 'question')}: {reason}" for reason, texts in self.left_out.items()]


def judged_questions(judgements: Iterable[Judgement]) -> JudgedQuestions:
    """One question for all judgements of the same text, whose newest judgement of the same words counts.

    A judgement whose document is gone, or has other words there now, counts for nothing.

    Args:
        judgements: in the order in which they were made
    """
    by_text: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        by_text.setdefault(judgement.question, []).append(judgement)
    questions: list[Question] = []
    left_out: dict[str, list[str]] = {}
    for text, own in by_text.items():
        question = _question(text, [judgement for judgement in own if judgement.state == "current"])
        if isinstance(question, Question):
            questions.append(question)
            continue
        states = {judgement.state for judgement in own}
        reason = CHANGED if "changed" in states else GONE if "gone" in states else question
        left_out.setdefault(reason, []).append(text)
    return JudgedQuestions(questions, left_out)


def _question(text: str, judgements: list[Judgement]) -> Question | str:
    """The question with the answers that are right in the end; or why there is none."""
    right: dict[str, list[Judgement]] = {}
    is_unanswerable = False
    for judgement in judgements:
        key = normalize_answer(judgement.text) or judgement.text
        if judgement.verdict == "wrong":
            right.pop(key, None)
            is_unanswerable = is_unanswerable and bool(judgement.text)
        elif judgement.text:
            right.setdefault(key, []).append(judgement)
            is_unanswerable = False
        else:
            right, is_unanswerable = {}, True
    places = [judgement for own in right.values() for judgement in own]
    if not places and not is_unanswerable:
        return NO_BETTER
    answers = dict.fromkeys(judgement.text for judgement in places)
    documents = dict.fromkeys(judgement.document_id for judgement in places if judgement.document_id)
    return Question(judgements[0].id, text, tuple(answers), document_ids=tuple(documents))
