"""From spans to how sure an answer is, and fitting it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendpr.answering.asked_question import AskedQuestion
from opendpr.answering.confidence import Confidence, calibrated, features
from opendpr.answering.decoding import Decoding, candidates
from opendpr.errors import InputError
from opendpr.fitting.answering import fit_cases
from opendpr.fitting.cases import Case
from opendpr.fitting.confidence import fit_confidence, mixed
from opendpr.fitting.decoding import fit_decoding
from opendpr.fitting.settings import AnsweringSettings
from opendpr.model.directory import find_model
from opendpr.types import Hit, Passage, Question, Span, WordCounts


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
    answered = calibrated(SPANS, Decoding(), confidence)
    assert answered.answerable
    assert [answer.text for answer in answered.answers] == ["Paris", "Rome"]
    assert answered.answers[0].confidence == pytest.approx(0.75)
    assert 0 < answered.answers[1].confidence <= 0.25


def test_below_the_threshold_there_is_no_answer_but_the_sentence_that_comes_nearest() -> None:
    outcome = calibrated(SPANS, Decoding(), Confidence({"bias": 0.0}, threshold=0.51))
    assert not outcome.answerable
    sentence, *phrases = outcome.answers
    assert (sentence.kind, sentence.text) == ("sentence", "Paris in passage 1")
    assert (sentence.start, sentence.end) == (100, 118)
    assert sentence.confidence == phrases[0].confidence == pytest.approx(0.5)
    assert [(answer.kind, answer.text) for answer in phrases] == [("span", "Paris"), ("span", "Rome")]
    assert outcome.phrases == tuple(phrases)
    assert not calibrated([], Decoding(), Confidence({"bias": 9.0})).answerable


def test_without_a_fitted_model_the_confidence_is_the_readers_probability() -> None:
    answered = calibrated(SPANS, Decoding(), None)
    p = [math.exp(2.0), math.exp(1.0), 1.0]
    assert answered.answers[0].confidence == pytest.approx((p[0] * math.exp(-0.5) + p[1] * math.exp(-0.7)) / sum(p))
    assert answered.answerable


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.floats(-30, 30), st.floats(-30, 0)), min_size=1, max_size=12),
    st.floats(-40, 40),
)
def test_confidences_fall_and_are_at_most_one_together(rows: list[tuple[int, float, float]], bias: float) -> None:
    spans = [span(f"word {word}", passage, score, n) for n, (word, passage, score) in enumerate(rows)]
    sure = [answer.confidence for answer in calibrated(spans, Decoding(), Confidence({"bias": bias})).phrases]
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
    fitted = fit_decoding(cases(), {"lambda": 30.0})
    decoding = Decoding.from_weights(fitted.retrieval)
    assert decoding.retrieval > 1
    assert abs(decoding.passage) < 0.3
    assert fitted.figures.exact_match_after > fitted.figures.exact_match_before + 0.3
    assert set(fitted.retrieval) == {"lambda", "passage", "span", "reader", "mismatch", "near", "names"}


def test_a_confidence_is_calibrated_and_its_threshold_keeps_what_was_asked_for() -> None:
    decoding = Decoding(retrieval=1.0, passage=0.5)
    unanswerable = [case._replace(question=Question("", "?")) for case in cases(200)]
    stored, figures = fit_confidence([*cases(), *unanswerable], decoding, AnsweringSettings(precision=0.7))
    assert figures.all_sets.answers == 600
    assert figures.all_sets.calibration_error < 0.1
    assert figures.precision >= 0.7
    assert 0 < stored["threshold"] < 1
    assert figures.all_sets.auroc_right is not None
    assert figures.all_sets.auroc_right > 0.5


def test_cases_count_so_that_the_wanted_share_is_answerable() -> None:
    answerable = np.array([True, False, False, False])
    counts = mixed(answerable, 2 / 3)
    assert counts.sum() == pytest.approx(4)
    assert counts[answerable].sum() == pytest.approx(4 * 2 / 3)
    assert mixed(np.ones(3, bool), 0.5).tolist() == [1, 1, 1]


def test_figures_are_given_for_each_question_file() -> None:
    of_files = [case._replace(set=name) for name in ("a", "b") for case in cases(200)]
    nothing = [case._replace(question=Question("", "?"), set="none") for case in cases(50)]
    _, figures = fit_confidence([*of_files, *nothing], Decoding(retrieval=1.0, passage=0.5), AnsweringSettings())
    assert {name: own.answers for name, own in figures.sets.items()} == {"a": 200, "b": 200, "none": 50}
    ranked = figures.sets["a"].auroc_right
    assert ranked == figures.sets["b"].auroc_right
    assert ranked is not None
    assert ranked > 0.5
    assert (figures.sets["none"].right, figures.sets["none"].auroc_answerable) == (0, None)


def test_the_figures_of_a_fit_have_the_names_that_model_directories_have_for_them() -> None:
    """Beside the record that is shipped with the model, whose fit kept its lambda."""
    record = json.loads((find_model("opendpr-minilm").directory / "training.json").read_text(encoding="utf-8"))
    settings = AnsweringSettings(retrievers=("hybrid",))
    unanswerable = [case._replace(question=Question("", "?"), set="none") for case in cases(50)]
    of_sets = [*(case._replace(set=name) for name in ("a", "b") for case in cases(100)), *unanswerable]
    figures = fit_cases({"hybrid": of_sets}, settings, {"lambda": 30.0}).figures.as_json()
    shipped = record["answering"]["figures"]
    assert list(figures) == ["questions with a right span", "exact match", "hybrid"]
    assert list(figures["exact match"]) == list(shipped["exact match"])
    assert list(figures["hybrid"]) == list(shipped["hybrid"])
    assert list(figures["hybrid"]["sets"]["a"]) == list(shipped["hybrid"]["sets"]["squad"])
    with_lambda = fit_cases({"hybrid": of_sets}, settings, {"lambda": 30.0}, reciprocal_ranks={0.5: 0.123456})
    assert next(iter(with_lambda.figures.as_json().items())) == ("reciprocal rank by lambda", {"0.5": 0.1235})


def test_a_confidence_of_an_earlier_model_gives_what_it_gave() -> None:
    """What it has no weight for does not count."""
    asked = AskedQuestion("Who built Zorkmid?", WordCounts(100, {"built": 20, "zorkmid": 0}))
    stored = Confidence.from_stored({"share": 0.4, "places": 0.3, "rival": 0.1, "bias": -1.0, "threshold": 0.0})
    assert calibrated(SPANS, Decoding(), stored, asked) == calibrated(SPANS, Decoding(), stored)


def test_too_few_answers_are_refused_with_their_number() -> None:
    with pytest.raises(InputError, match="answer of 5 questions was found among the spans read, at least 30"):
        fit_decoding(cases(5), {})
    with pytest.raises(InputError, match="at least 30 of each"):
        fit_confidence(cases(40), Decoding(retrieval=9.0), AnsweringSettings())


@pytest.mark.parametrize("wrong", [{"k": 0}, {"precision": 1.5}, {"removed_share": -0.1}], ids=str)
def test_settings_out_of_range_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(Exception, match=next(iter(wrong))):
        AnsweringSettings(**wrong)
