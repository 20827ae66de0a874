"""From spans to how sure an answer is, and fitting it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendpr.answering.confidence import Confidence, calibrated, features
from opendpr.answering.decoding import Decoding, candidates
from opendpr.errors import InputError
from opendpr.fitting.cases import Case
from opendpr.fitting.confidence import fit_confidence
from opendpr.fitting.decoding import fit_decoding
from opendpr.fitting.fitted import Fitted
from opendpr.fitting.settings import AnsweringSettings
from opendpr.types import Hit, Passage, Question, Span


def span(text: str, passage: float, score: float, number: int = 0, bm25: float = 0.0, dense: float = 0.0) -> Span:
    start = 100 * number
    where = Passage(number, f"d{number}", "", f"{text} in passage {number}", start)
    return Span(Hit(where, bm25, {"bm25": bm25, "dense": dense}), start, start + len(text), text, passage, score)


SPANS = [
    span("Paris", 2.0, -0.5, 1, 12.0, 0.7),
    span("paris", 1.0, -0.7, 2, 10.0, 0.5),
    span("Rome", 0.0, -1.0, 3, 8.0, 0.4),
]


def test_features_by_hand() -> None:
    decoding = Decoding(similarity=10.0)
    found = features(candidates(SPANS, decoding), decoding)
    p = [math.exp(2.0 - 0.5), math.exp(1.0 - 0.7), math.exp(0.0 - 1.0)]
    assert found["share"] == pytest.approx(math.log((p[0] + p[1]) / p[2]))
    assert found["rival"] == found["share"], "there are two answers"
    assert (found["passage"], found["span"]) == (2.0, -0.5)
    assert found["ahead"] == pytest.approx(2.0 - math.log(math.exp(1.0) + math.exp(0.0)))
    assert found["places"] == pytest.approx(math.log(2))
    assert found["margin"] == pytest.approx(19.0 - (19.0 + 15.0 + 12.0) / 3)
    assert (found["similarity"], found["words"]) == (0.7, pytest.approx(math.log(13)))
    assert found["rank"] == 0
    assert found["length"] == pytest.approx(math.log(2))


def test_an_answer_without_rivals_is_as_far_ahead_as_counts() -> None:
    found = features(candidates(SPANS[:1], Decoding()), Decoding())
    assert (found["share"], found["rival"], found["ahead"]) == (10, 10, 10)


def test_the_first_answer_has_the_models_probability_and_the_others_share_the_rest() -> None:
    confidence = Confidence({"bias": math.log(3.0)}, threshold=0.7)
    of = calibrated(SPANS, Decoding(), confidence)
    assert of.answerable
    assert [answer.text for answer in of.answers] == ["Paris", "Rome"]
    assert of.answers[0].confidence == pytest.approx(0.75)
    assert 0 < of.answers[1].confidence <= 0.25


def test_below_the_threshold_there_is_no_answer_but_a_guess() -> None:
    of = calibrated(SPANS, Decoding(), Confidence({"bias": 0.0}, threshold=0.51))
    assert not of.answerable
    assert of.answers[0].text == "Paris"
    assert not calibrated([], Decoding(), Confidence({"bias": 9.0})).answerable


def test_without_a_fitted_model_the_confidence_is_the_readers_probability() -> None:
    of = calibrated(SPANS, Decoding(), None)
    p = [math.exp(2.0), math.exp(1.0), 1.0]
    assert of.answers[0].confidence == pytest.approx((p[0] * math.exp(-0.5) + p[1] * math.exp(-0.7)) / sum(p))
    assert of.answerable


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.floats(-30, 30), st.floats(-30, 0)), min_size=1, max_size=12),
    st.floats(-40, 40),
)
def test_confidences_fall_and_are_at_most_one_together(rows: list[tuple[int, float, float]], bias: float) -> None:
    spans = [span(f"word {word}", passage, score, n) for n, (word, passage, score) in enumerate(rows)]
    sure = [answer.confidence for answer in calibrated(spans, Decoding(), Confidence({"bias": bias})).answers]
    assert all(0 <= value <= 1 for value in sure)
    assert sure == sorted(sure, reverse=True)
    assert sum(sure) <= 1 + 1e-9


def test_the_same_words_at_places_that_overlap_are_one_place() -> None:
    passage = Passage(1, "d", "", "the 10th century", 50)
    hit = Hit(passage, 1.0)
    whole = Span(hit, 50, 66, "the 10th century", 0.0, math.log(0.5))
    inner = Span(hit, 54, 66, "10th century", 0.0, math.log(0.25))
    (found,) = candidates([whole, inner], Decoding())
    assert found.spans == (whole,)
    assert found.evidence == pytest.approx(0.5)
    other = Span(Hit(Passage(2, "other", "", "", 0), 1.0), 54, 66, "10th century", 0.0, math.log(0.25))
    assert len(candidates([whole, other], Decoding())[0].spans) == 2


def cases(count: int = 400) -> list[Case]:
    """The right words are where the retrieval score is high; the selection logit means nothing."""
    generator = np.random.default_rng(0)
    found = []
    for number in range(count):
        spans = []
        for place in range(4):
            right = place == 0
            bm25 = float(generator.normal(3.0 if right else 0.0, 1.0))
            text = f"right {number}" if right else f"wrong {number} {place}"
            spans.append(span(text, float(generator.normal()), float(-generator.exponential()), place, max(0.0, bm25)))
        found.append(Case(Question(str(number), "?", (f"right {number}",)), spans, False))
    return found


def test_decoding_learns_which_score_to_believe() -> None:
    fitted = Fitted({"lambda": 30.0})
    decoding = fit_decoding(cases(), Decoding(), fitted)
    assert decoding.retrieval > 1
    assert abs(decoding.passage) < 0.3
    exact = fitted.figures["exact match"]
    assert exact["after"] > exact["before"] + 0.3
    assert set(fitted.retrieval) == {"lambda", "passage", "span", "reader"}


def test_a_confidence_is_calibrated_and_its_threshold_keeps_what_was_asked_for() -> None:
    decoding = Decoding(retrieval=1.0, passage=0.5)
    unanswerable = [case._replace(question=Question("", "?")) for case in cases(200)]
    stored, figures = fit_confidence([*cases(), *unanswerable], decoding, 0.7)
    assert figures["answers"] == 600
    assert figures["calibration error"] < 0.1
    assert figures["precision"] >= 0.7
    assert 0 < stored["threshold"] < 1
    assert figures["AUROC right"] > 0.5


def test_too_few_answers_are_refused_with_their_number() -> None:
    with pytest.raises(InputError, match="answer of 5 questions was found among the spans read, at least 30"):
        fit_decoding(cases(5), Decoding(), Fitted({}))
    with pytest.raises(InputError, match="at least 30 of each"):
        fit_confidence(cases(40), Decoding(retrieval=9.0), 0.5)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"precision": 1.5}, {"removed_share": -0.1}], ids=str)
def test_settings_out_of_range_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(Exception, match=next(iter(wrong))):
        AnsweringSettings(**wrong)
