"""Why an answer is wrong, and the tables of what systems count."""

from __future__ import annotations

import pytest

from opendpr.evaluation.failures import NOT_RETRIEVED, OTHER_PASSAGE, OTHER_WRITING, WRONG_SPAN, failure
from opendpr.evaluation.figures import differences, figures
from opendpr.text import exact_match
from opendpr.text.answers import loosely_equal
from opendpr.types import Question

QUESTION = Question("q", "how many?", ("20,000 men", "Beyoncé"))


@pytest.mark.parametrize(
    ("prediction", "chosen", "ranks", "expected"),
    [
        ("20 000 men", 3, [1], OTHER_WRITING),
        ("Beyonce", 1, [], OTHER_WRITING),
        ("twenty", 2, [2, 9], WRONG_SPAN),
        ("twenty", 1, [2, 9], OTHER_PASSAGE),
        ("twenty", 1, [5], OTHER_PASSAGE),
        ("twenty", 1, [6], NOT_RETRIEVED),
        ("twenty", 1, [], NOT_RETRIEVED),
        ("", None, [], NOT_RETRIEVED),
        ("", None, [2], OTHER_PASSAGE),
    ],
)
def test_the_first_step_that_lost_the_answer_is_named(
    prediction: str, chosen: int | None, ranks: list[int], expected: str
) -> None:
    assert failure(QUESTION, prediction, chosen=chosen, answer_ranks=ranks, read=5) == expected


@pytest.mark.parametrize(
    ("prediction", "answer", "equal"),
    [
        ("co operation", "co-operation", True),
        ("café–bar", "Cafe bar", True),
        ("the Straße", "STRASSE", True),
        ("10 000", "1000", False),
        ("...", "!", False),
        ("", "", False),
    ],
)
def test_writing_alone_differs_where_letters_and_digits_are_the_same(prediction: str, answer: str, equal: bool) -> None:
    assert loosely_equal(prediction, [answer]) is equal


def test_a_pattern_must_match_at_the_beginning_of_a_prediction() -> None:
    assert exact_match("1888, in May", [r"18\d\d"], "regex")
    assert not exact_match("in 1888", [r"18\d\d"], "regex")
    assert not exact_match("[", ["["], "regex")


MEASURED = {
    "dense": {"1": {"answer@1": 1.0, "document@1": 1.0}, "2": {"answer@1": 0.0}, "3": {"answer@1": 1.0}},
    "bm25": {"1": {"answer@1": 0.0, "document@1": 1.0}, "2": {"answer@1": 0.0}, "3": {"answer@1": 1.0}},
}


def test_a_figure_is_over_the_questions_that_have_the_measure() -> None:
    means = {(figure.system, figure.measure): (figure.questions, figure.value.mean) for figure in figures(MEASURED)}
    assert means == {
        ("dense", "answer@1"): (3, pytest.approx(2 / 3)),
        ("dense", "document@1"): (1, 1.0),
        ("bm25", "answer@1"): (3, pytest.approx(1 / 3)),
        ("bm25", "document@1"): (1, 1.0),
    }


def test_a_difference_is_paired_by_question_whatever_the_order() -> None:
    turned = {"dense": MEASURED["dense"], "bm25": dict(reversed(MEASURED["bm25"].items()))}
    for measured in (MEASURED, turned):
        answer, document = differences(measured)
        assert (answer.a, answer.b, answer.measure, answer.questions) == ("dense", "bm25", "answer@1", 3)
        assert answer.value.mean == pytest.approx(1 / 3)
        assert answer.value.p == pytest.approx(1.0)
        assert (document.questions, document.value.mean) == (1, 0.0)
