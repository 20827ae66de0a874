"""The sentence offered where no words are likely enough."""

from __future__ import annotations

import pytest

from opendpr.answering.sentences import nearest_sentence
from opendpr.types import Answer, Hit, Passage, Span

TEXT = "The pier is old. Ada Berg built it in 1888, and Jon Lind paid. It fell in 1901."


def answer(words: str, confidence: float) -> Answer:
    first = 50 + TEXT.index(words)
    span = Span(Hit(Passage(1, "pier", "", TEXT, 50), 1.0), first, first + len(words), words, 1.0, -1.0)
    return Answer(words, confidence, (span,))


def test_answers_of_one_sentence_speak_for_it_together() -> None:
    found = nearest_sentence([answer("1901", 0.2), answer("Ada Berg", 0.15), answer("Jon Lind", 0.1)])
    assert (found.text, found.kind) == ("Ada Berg built it in 1888, and Jon Lind paid.", "sentence")
    assert found.confidence == pytest.approx(0.25)
    assert TEXT[found.start - 50 : found.end - 50] == found.text


def test_of_sentences_that_are_as_likely_that_of_the_best_answer_is_offered() -> None:
    assert nearest_sentence([answer("1901", 0.2), answer("Ada Berg", 0.2)]).text == "It fell in 1901."
