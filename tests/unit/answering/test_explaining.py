"""What an answer's score and confidence are made of."""

from __future__ import annotations

import math

import pytest

from opendpr.answering.asked_question import UNKNOWN_QUESTION
from opendpr.answering.confidence import Confidence, calibrated
from opendpr.answering.decoding import Decoding
from opendpr.answering.explaining import explain
from opendpr.cli.ask_explanation import FEATURE_MEANINGS, explained
from opendpr.types import Hit, Passage, Span

WEIGHTS = {"share": 0.5, "passage": 0.25, "rival": 0.1, "unseen": -1.0, "bias": -0.75}
CONFIDENCE = Confidence(WEIGHTS, threshold=0.3)
DECODING = Decoding(passage=0.8, span=0.6, retrieval=0.1, similarity=10.0)


def mark(text: str, passage_score: float, number: int) -> Span:
    passage = Passage(number, f"d{number}", "", f"{text} in passage {number}", 0)
    return Span(Hit(passage, 1.0, {"bm25": 4.0, "dense": 0.5}), 0, len(text), text, passage_score, -0.5)


SPANS = [mark("Paris", 2.0, 1), mark("paris", 1.5, 2), mark("Rome", 0.0, 3)]


def test_the_parts_of_a_score_and_of_a_confidence_add_up_to_what_they_explain() -> None:
    paris, rome = explain(SPANS, DECODING, CONFIDENCE, UNKNOWN_QUESTION)
    assert sum(part.product for part in paris.score) == pytest.approx(0.8 * 2.0 - 0.6 * 0.5 + 0.1 * (4.0 + 5.0))
    assert (paris.text, paris.places, paris.agreeing) == ("Paris", 2, 2)
    assert paris.evidence > rome.evidence > 0
    logit = sum(part.product for part in paris.confidence)
    best = calibrated(SPANS, DECODING, CONFIDENCE).answers[0]
    assert 1 / (1 + math.exp(-logit)) == pytest.approx(best.confidence)
    assert {part.name for part in paris.confidence} == set(WEIGHTS)
    assert (paris.threshold, rome.confidence, rome.threshold) == (0.3, (), None)


def test_an_explanation_as_text_has_a_line_for_each_part() -> None:
    paris, rome = explain(SPANS, DECODING, CONFIDENCE, UNKNOWN_QUESTION)
    lines = list(explained(paris))
    assert lines[0] == "  why 'Paris':"
    assert "from 2 of 2 places; retrieval is bm25 4.00, dense 0.50" in lines[1]
    assert any(line.split()[:6] == ["passage", "selection", "2.00", "x", "0.80", "="] for line in lines)
    assert "there is no answer below a confidence of 0.30" in lines[11]
    assert len(lines) == 3 + 8 + 1 + len(WEIGHTS) + 1
    assert len(list(explained(rome))) == 3 + 8


def test_every_number_that_a_confidence_can_have_is_explained_in_words() -> None:
    (paris, *_) = explain(SPANS, DECODING, Confidence(dict.fromkeys(FEATURE_MEANINGS, 1.0)), UNKNOWN_QUESTION)
    assert {part.name for part in (*paris.score, *paris.confidence)} == set(FEATURE_MEANINGS)


def test_without_spans_there_is_nothing_to_explain() -> None:
    assert explain([], DECODING, CONFIDENCE, UNKNOWN_QUESTION) == []
