"""What an answer says of itself."""

from __future__ import annotations

from opendpr.types import Answer, Hit, Outcome, Passage, Span

PASSAGE = Passage(7, "letter.txt", "The letter", "Ada wrote the letter in 1843.", 100)
ANSWER = Answer("Ada", 0.714, (Span(Hit(PASSAGE, 1.0), 100, 103, "Ada", 2.0, -0.5),))


def test_an_answer_has_the_place_of_its_best_span():
    assert (ANSWER.document_id, ANSWER.start, ANSWER.end) == ("letter.txt", 100, 103)
    assert ANSWER.passage is PASSAGE


def test_the_repr_of_an_answer_fits_on_a_line():
    assert repr(ANSWER) == "Answer('Ada', confidence=0.71, 'letter.txt' [100:103])"


def test_the_repr_of_a_sentence_says_that_it_is_no_answer():
    sentence = Answer("Ada wrote it.", 0.55, (), "sentence")
    assert repr(sentence) == "Answer('Ada wrote it.', confidence=0.55 that the answer is in this sentence)"


def test_best_is_the_first_answer_of_an_answerable_question():
    assert Outcome((ANSWER, Answer("Bob", 0.1, ())), answerable=True).best is ANSWER


def test_best_is_none_below_the_threshold_and_without_answers():
    assert Outcome((ANSWER,), answerable=False).best is None
    assert Outcome((), answerable=False).best is None
