"""What Python callers say of answers."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from opendpr.answering import Answerer
from opendpr.collection.judgements import Judgement, ShownAnswer
from opendpr.errors import UsageError
from opendpr.improving.judging import AnswerPlace, judge
from opendpr.types import Answer

JudgedWords: TypeAlias = Answer | tuple[str, int, int]
"""An answer that was given; or the id of a document, and where the words begin and end in its text."""


def judge_words(
    directory: Path,
    question: str,
    verdict: str,
    words: JudgedWords | None,
    *,
    shown: Answer | None = None,
    answerer: Answerer | None = None,
) -> Judgement:
    """Store what was said of an answer; raises as `OpenCollection.judge`."""
    given = words if isinstance(words, Answer) and shown is None else shown
    answer = ShownAnswer()
    if given is not None:
        model = answerer.model if answerer else None
        names = (model.reference, model.fingerprint) if model else ("", "")
        answer = ShownAnswer(given.text, given.confidence, *names)
    return judge(directory, question, verdict, _place(words), shown=answer)


def _place(words: JudgedWords | None) -> AnswerPlace | None:
    if isinstance(words, Answer):
        return AnswerPlace(words.document_id, words.start, words.end)
    if words is None:
        return None
    if len(words) != 3:
        raise UsageError(f"words are an answer, or (document id, start, end), got {words!r:.100}")
    return AnswerPlace(*words)
