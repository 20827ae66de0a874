"""How far confidences can be believed: by hand, and against slow obvious ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, reliability, threshold_for

questions = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=40)


def test_bins_have_mean_confidence_share_of_right_and_number() -> None:
    first, last = reliability([0.02, 0.04, 0.95, 1.0, 0.97], [0, 1, 1, 1, 0])
    assert (first.confidence, first.right.mean, first.questions) == (pytest.approx(0.03), 0.5, 2)
    assert (last.confidence, last.right.mean, last.questions) == (pytest.approx(2.92 / 3), pytest.approx(2 / 3), 3)
    assert 0 < last.right.low < last.right.mean < last.right.high < 1


def test_the_interval_of_a_share_is_wilsons() -> None:
    (whole,) = reliability([1.0] * 10, [1] * 10)
    assert whole.right == pytest.approx((1.0, 0.7225, 1.0), abs=1e-4)
    (half,) = reliability([0.5] * 10, [1] * 5 + [0] * 5)
    assert half.right == pytest.approx((0.5, 0.2366, 0.7634), abs=1e-4)


def test_the_calibration_error_weighs_each_bin_by_its_questions() -> None:
    confidences = [0.1] * 3 + [0.9]
    assert expected_calibration_error(confidences, [0, 0, 0, 0]) == pytest.approx((3 * 0.1 + 0.9) / 4)
    assert expected_calibration_error([0.25] * 4, [1, 0, 0, 0]) == 0


@settings(deadline=None)
@given(questions)
def test_the_area_under_roc_counts_pairs(rows: list[tuple[float, bool]]) -> None:
    good = [score for score, right in rows if right]
    bad = [score for score, right in rows if not right]
    found = area_under_roc(*zip(*rows, strict=True))
    if not good or not bad:
        assert math.isnan(found)
        return
    pairs = [(a > b) + (a == b) / 2 for a in good for b in bad]
    assert found == pytest.approx(np.mean(pairs))


@settings(deadline=None)
@given(questions, st.sampled_from([0.0, 0.5, 0.8, 1.0]))
def test_a_threshold_keeps_its_precision_and_answers_as_many_as_it_can(
    rows: list[tuple[float, bool]], precision: float
) -> None:
    def kept(threshold: float) -> list[bool]:
        return [right for score, right in rows if score >= threshold]

    enough = [score for score, _ in rows if np.mean(kept(score)) >= precision]
    found = threshold_for(*zip(*rows, strict=True), precision)
    assert found == (min(enough) if enough else None)


def test_rows_of_different_length_are_refused_with_both() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(1,\)"):
        reliability([0.1, 0.2], [1])
