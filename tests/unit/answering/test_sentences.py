"""The sentence offered where no words are likely enough."""

from __future__ import annotations

import pytest

from opendpr.answering.sentences import nearest_sentence, statement_around
from opendpr.types import Answer, Hit, Passage, Span

TEXT = "The pier is old. Ada Berg built it in 1888, and Jon Lind paid. It fell in 1901."


def answer(words: str, confidence: float) -> Answer:
    first = 50 + TEXT.index(words)
    span = Span(Hit(Passage(1, "pier", "", TEXT, 50), 1.0), first, first + len(words), words, 1.0, -1.0)
    return Answer(words, confidence, (span,))


def test_answers_of_one_sentence_speak_for_it_together() -> None:
    sentence = nearest_sentence([answer("1901", 0.2), answer("Ada Berg", 0.15), answer("Jon Lind", 0.1)])
    assert (sentence.text, sentence.kind) == ("Ada Berg built it in 1888, and Jon Lind paid.", "sentence")
    assert sentence.confidence == pytest.approx(0.25)
    assert TEXT[sentence.start - 50 : sentence.end - 50] == sentence.text


def test_of_sentences_that_are_as_likely_that_of_the_best_answer_is_offered() -> None:
    assert nearest_sentence([answer("1901", 0.2), answer("Ada Berg", 0.2)]).text == "It fell in 1901."


@pytest.mark.parametrize(
    ("text", "marked", "statement"),
    [
        ("# tidelog\n\nReads the level.", "tidelog", "Reads the level."),
        ("It ends.\n## Log file", "Log file", "Log file"),
        (
            "| `--interval SECONDS` | 30 | how often it reads |\n| x | y |",
            "30",
            "| `--interval SECONDS` | 30 | how often it reads |",
        ),
        ("Port:\t8080\nHost:\tlocal", "8080", "Port:\t8080"),
        ("The red light blinks quickly. Then it stops.", "red", "The red light blinks quickly."),
    ],
    ids=["below a heading", "a heading with nothing below", "a row of a table", "a cell", "a sentence"],
)
def test_what_says_nothing_by_itself_is_offered_with_what_it_belongs_to(text: str, marked: str, statement: str) -> None:
    start = text.index(marked)
    first, last = statement_around(text, start, start + len(marked))
    assert text[first:last].removeprefix("## ") == statement
