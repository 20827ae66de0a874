"""What the words of a question say of a place."""

from __future__ import annotations

import pytest

from opendpr.answering.answer_kinds import agreement
from opendpr.answering.asked_question import UNKNOWN_QUESTION, AskedQuestion
from opendpr.answering.question_words import Wording, rarity
from opendpr.search.tantivy import TantivyIndex
from opendpr.types import Hit, Passage, Span, WordCounts

TEXT = "Exim stores messages in a spool. " + "Nothing is said here. " * 20 + "The limit is 50 for all ports."
HIT = Hit(Passage(1, "exim", "Exim manual", TEXT, 0), 1.0)
AT = TEXT.index("50")
SPAN = Span(HIT, AT, AT + 2, "50", 0.0, -1.0)


def counted(question: str, *texts: str) -> AskedQuestion:
    index = TantivyIndex()
    index.update([], [Passage(number, "d", "", text, 0) for number, text in enumerate(texts)])
    return AskedQuestion(question, index.count_words(question))


@pytest.mark.parametrize(
    ("question", "answer", "agrees"),
    [
        ("How long did the siege last?", "three weeks", 1),
        ("How long did the siege last?", "the castle", -1),
        ("how long is the pier", "1888", -1),
        ("How many ships sank?", "forty", 1),
        ("how many ships sank", "the harbour", -1),
        ("default port of redis", "6379", 1),
        ("default port of redis", "localhost", -1),
        ("When was it built?", "May 1888", 1),
        ("When was it built?", "Ada Berg", -1),
        ("Who built it?", "Ada Berg", 1),
        ("Who built it?", "1888", -1),
        ("What is a spool?", "a queue", 0),
        ("", "a queue", 0),
    ],
)
def test_an_answer_is_of_the_kind_that_the_question_wants_or_not(question: str, answer: str, agrees: int) -> None:
    assert agreement(question, answer) == agrees


def test_a_word_is_as_rare_as_few_passages_have_it() -> None:
    asked = counted("What limits spools?", "a limit", "the limit", "a spool and a limit", "what")
    assert asked.counts == WordCounts(4, {"limit": 3, "spool": 1, "what": 1})
    rare = rarity(asked.counts)
    assert set(rare) == {"limit", "spool"}, "question words do not say what is asked about"
    assert 0 < rare["limit"] < rare["spool"] < 1
    assert rarity(WordCounts(4, {"x": 0, "y": 4})) == {"x": 1.0, "y": 0.0}


def test_words_are_sought_near_the_place_in_its_passage_and_in_the_title() -> None:
    near_by = Wording(counted("limit of Exim", TEXT, "other")).place(SPAN)
    assert near_by == (0.0, 0.0, 0.0, 0.0), "one is near, the other in the title"
    far = Wording(counted("spool limit", TEXT, "other")).place(SPAN)
    assert far.near > 0 == far.missing
    other = Wording(counted("limit of Postfix", TEXT, "Postfix")).place(SPAN)
    assert other.names == 1
    assert 0 < other.missing == other.near < 1


def test_words_that_no_passage_has_are_counted() -> None:
    assert Wording(counted("limit of frobnicate and zorkmid in quux", TEXT)).unseen == 2
    assert Wording(counted("limit of ports", TEXT)).unseen == 0


def test_nothing_is_held_against_a_place_when_the_question_is_not_known() -> None:
    assert Wording(UNKNOWN_QUESTION).place(SPAN) == (0.0, 0.0, 0.0, 0.0)
    assert Wording(UNKNOWN_QUESTION).unseen == 0
