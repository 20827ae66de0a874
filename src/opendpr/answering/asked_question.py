"""A question: whether it can be asked, and what decoding knows of it: its words, and how common they are."""

from __future__ import annotations

from dataclasses import dataclass

from opendpr.choices import QUESTION_CHARACTERS, needs_words
from opendpr.errors import UsageError
from opendpr.search.live import LiveSnapshot
from opendpr.text.unicode import is_unicode
from opendpr.types import WordCounts

NO_WORD_COUNTS = WordCounts()


@dataclass(frozen=True)
class AskedQuestion:
    """A question.

    Args:
        text: empty where the question is not known
        counts: of its words, where they were counted
    """

    text: str = ""
    counts: WordCounts = NO_WORD_COUNTS


UNKNOWN_QUESTION = AskedQuestion()
"""A question of which nothing is known."""


def asked_question(question: str, retriever: str, live: LiveSnapshot) -> AskedQuestion:
    """A question as one that the named retriever finds passages for.

    Words are counted by the index of BM25, which dense retrieval alone does without: opening it may take long.
    """
    counts = live.load(retriever).count_words(question) if needs_words(retriever) else NO_WORD_COUNTS
    return AskedQuestion(question, counts)


def check_question(question: object) -> None:
    """Raises UsageError if a question is no text, empty or too long."""
    if not isinstance(question, str):
        raise UsageError(f"a question is a string, got {type(question).__name__}: {question!r:.60}")
    if not question.strip():
        raise UsageError("the question is empty; ask with at least one word")
    if not is_unicode(question):
        raise UsageError("the question is not valid UTF-8; convert it")
    if len(question) > QUESTION_CHARACTERS:
        raise UsageError(
            f"the question has {len(question):,} characters, at most {QUESTION_CHARACTERS:,} are taken; shorten it"
        )
