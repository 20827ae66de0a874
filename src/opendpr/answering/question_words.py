"""Whether a place speaks of what was asked about: the words of a question that it lacks."""

from __future__ import annotations

import math
import re
from functools import cached_property
from typing import NamedTuple

from opendpr.answering.answer_kinds import agreement
from opendpr.answering.asked_question import AskedQuestion
from opendpr.answering.surroundings import in_context
from opendpr.search.tantivy import terms
from opendpr.text.table_rows import Row, row_at, table_rows
from opendpr.types import Passage, Span, WordCounts

COMMON_WORDS = frozenset(
    terms(
        "what which who whom whose when where why how many much long often do does did done can could would should may "
        "might must i me my you your we us our he him his she her they them has have had having was were been being am "
        "name named called call mean means give tell please get so than from about into up out its also between during "
        "after before there any some most more other one two first use used"
    )
)
"""Words that say how is asked, not after what."""
PROPER_NAME = re.compile(r"(?<!^)\b(?:[^\W\d_a-z]\w*|\w*\d\w*|\w+[_.-]\w+)")
"""A word with a capital, a digit or a sign inside; a question's first word has its capital anyway."""
NEAR_CHARACTERS = 200
"""Characters on either side of an answer that are near it."""
UNSEEN_WORDS = 2
"""More words that occur nowhere count as this many."""


class Place(NamedTuple):
    """What speaks against a place, each between 0 and 1: shares of words count each as much as it is rare.

    Of a row of a table that is the passage, with the names of its columns.
    """

    mismatch: float
    """1 if its words are not of the kind that the question wants."""
    near: float
    """Share of the question's words that are neither near them nor in the title."""
    names: float
    """Share of the names and numbers in the question that are neither in the passage nor in the title."""
    missing: float
    """Share of the question's words that are neither in the passage nor in the title."""


class Wording:
    """The words of one question, beside those of the places that were read for it."""

    def __init__(self, question: AskedQuestion) -> None:
        self._question = question
        self._passages: dict[int, frozenset[str]] = {}
        self._rows: dict[int, list[Row]] = {}

    @cached_property
    def _rare(self) -> dict[str, float]:
        return rarity(self._question.counts)

    @cached_property
    def _names(self) -> frozenset[str]:
        question = self._question.text.strip()
        words = terms(" ".join(PROPER_NAME.findall(question[:1].lower() + question[1:])))
        return frozenset(words) - COMMON_WORDS

    @property
    def unseen(self) -> int:
        """How many of the question's words no passage of the collection has."""
        return min(UNSEEN_WORDS, sum(self._question.counts.holding[word] == 0 for word in self._rare))

    def place(self, span: Span) -> Place:
        """What speaks against a span; nothing of a question that is not known."""
        mismatch = float(agreement(self._question.text, span.text) < 0)
        if not self._rare and not self._names:
            return Place(mismatch, 0.0, 0.0, 0.0)
        passage = span.hit.passage
        if row := self._row(span):
            there = near = frozenset(terms(f"{passage.title}\n{row}"))
        else:
            first, last = span.start - passage.start - NEAR_CHARACTERS, span.end - passage.start + NEAR_CHARACTERS
            there = self._words_of(passage)
            near = frozenset(terms(f"{passage.title}\n{passage.text[max(0, first) : last]}"))
        return Place(
            mismatch,
            self._share(there.intersection(near)),
            len(self._names - there) / (len(self._names) or 1),
            self._share(there),
        )

    def row_lacks(self, span: Span) -> float:
        """Share of the names and numbers in the question that the row of a span lacks; 0 for one in no row."""
        return self.place(span).names if self._row(span) else 0.0

    def _row(self, span: Span) -> str:
        """The row of a table that a span is a value of, with the names of its columns; empty if it is in none."""
        text, start, end = in_context(span)
        number = span.hit.passage.number
        if number not in self._rows:
            self._rows[number] = table_rows(text, span.hit.column_names)
        row = row_at(self._rows[number], start, end)
        return row.words(text) if row else ""

    def _words_of(self, passage: Passage) -> frozenset[str]:
        if passage.number not in self._passages:
            self._passages[passage.number] = frozenset(terms(f"{passage.title}\n{passage.text}"))
        return self._passages[passage.number]

    def _share(self, there: frozenset[str]) -> float:
        """The share of the question's words that are not there, each as much as it is rare."""
        lacking = sum(value for word, value in self._rare.items() if word not in there)
        return lacking / (sum(self._rare.values()) or 1.0)


def rarity(counts: WordCounts) -> dict[str, float]:
    """For each word that says what is asked about how rare it is: 0 if all passages have it, 1 if none has."""
    if not counts.passages:
        return {}
    most = math.log1p(counts.passages)
    return {
        word: 1 - math.log1p(min(holding, counts.passages)) / most
        for word, holding in counts.holding.items()
        if word not in COMMON_WORDS
    }
