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
    if shown is not None and not isinstance(shown, Answer):
        raise UsageError(f"shown is the answer that was shown, as 'ask' gives it, or None, got {shown!r:.100}")
    place = _place(words)
    given = words if isinstance(words, Answer) and shown is None else shown
    answer = ShownAnswer()
    if given is not None:
        model = answerer.model if answerer else None
        names = (model.reference, model.fingerprint) if model else ("", "")
        answer = ShownAnswer(given.text, given.confidence, *names)
    return judge(directory, question, verdict, place, shown=answer)


def _place(words: JudgedWords | None) -> AnswerPlace | None:
    match words:
        case None:
            return None
        case Answer():
            return AnswerPlace(words.document_id, words.start, words.end, words.text)
        case (str(document), int(start), int(end)):
            return AnswerPlace(document, start, end)
    raise UsageError(
        "words are an answer, or (document id, start, end) with a string and two whole numbers, as "
        f"('letter.txt', 81, 87), got {words!r:.100}"
    )
