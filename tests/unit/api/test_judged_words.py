"""Answers judged in Python: the words that were answered, or none; and arguments that are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import opendpr
from opendpr.errors import UsageError
from opendpr.types import Answer, Document, Hit, Passage, Span

TEXT = "The pier was built by Marta Lindqvist in 1874."
START, WORDS = 22, "Marta Lindqvist"
SURROGATE = "\ud800"


def answer(text: str = WORDS, document_id: str = "pier") -> Answer:
    hit = Hit(Passage(1, document_id, "", TEXT, 0), 1.0)
    return Answer(text, 0.5, (Span(hit, START, START + len(text), text, 0.0, 0.0),))


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[opendpr.OpenCollection]:
    opendpr.add(tmp_path / "notes", [Document("pier", "", TEXT)], vectors=False)
    with opendpr.open(tmp_path / "notes", retriever="bm25") as opened:
        yield opened


def test_an_answer_is_stored_only_if_its_words_are_still_there(notes: opendpr.OpenCollection) -> None:
    notes.judge("Who?", "right", answer())
    opendpr.add(notes, [Document("pier", "", "The pier was built by nobody that anybody remembers.")], vectors=False)
    with pytest.raises(UsageError, match=r"'nobody that any' instead of 'Marta Lindqvist'; ask again"):
        notes.judge("Who?", "right", answer())
    [judgement] = notes.judgements()
    assert (judgement.text, judgement.state) == (WORDS, "changed")
    assert notes.judge("Who?", "better", ("pier", START, START + 6)).text == "nobody"


@pytest.mark.parametrize(
    "words", [5, "pier", ("pier", "1", "4"), ("pier", 1.0, 4), ("pier", 1), (1, 1, 4), ("pier", 1, None), {"pier": 1}]
)
def test_words_that_are_none_are_refused(notes: opendpr.OpenCollection, words: Any) -> None:
    with pytest.raises(UsageError, match=r"an answer, or \(document id, start, end\) .*, got "):
        notes.judge("Who?", "right", words)
    assert notes.judgements() == []


@pytest.mark.parametrize(
    ("arguments", "shown", "message"),
    [
        ((None, "right"), None, "a question is a string, got NoneType"),
        ((5, "right"), None, "a question is a string, got int: 5"),
        ((SURROGATE, "right"), None, "question is not valid UTF-8"),
        (("Who?", None), None, "a verdict is one of right, wrong, better, got None"),
        (("Who?", "better", ("pier", 0, 3)), "Orvik", "shown is the answer that was shown"),
        (("Who?", "better", ("pier", 0, 3)), answer(SURROGATE), "answer that was shown .* is not valid Unicode"),
        (
            ("Who?", "better", ("pier", 0, 3)),
            answer("x" * 1_001),
            "shown has 1,001 characters, an answer has at most",
        ),
        (("Who?", "right", answer(SURROGATE)), None, "answer that was shown .* is not valid Unicode"),
        (("Who?", "right", (SURROGATE, 0, 3)), None, "document.s id .* is not valid Unicode"),
    ],
)
def test_other_arguments_are_refused(notes: opendpr.OpenCollection, arguments: Any, shown: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        notes.judge(*arguments, shown=shown)
    assert notes.judgements() == []
