"""Choosing the weights and the threshold of a confidence, which `answering/confidence.py` computes.

`evaluation/calibration.py` has what a confidence is judged by.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.answering.confidence import Confidence, features
from opendpr.answering.decoding import Decoding, candidates
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, threshold_for
from opendpr.fitting.cases import Case, answered, is_answerable
from opendpr.fitting.figures import AnswerFigures, ConfidenceFigures
from opendpr.fitting.logistic import fit_logistic
from opendpr.fitting.settings import AnsweringSettings, TooFewAnswersError

logger = logging.getLogger(__name__)

FEWEST_ANSWERS = 30
"""Right answers, and wrong ones, without which no confidence is fitted."""
REDUNDANT_FEATURES = frozenset({"rival", "ahead", "places", "similarity"})
"""Features of earlier fits that say what others say: without them a fit is no worse."""

DOUBTING_FEATURES = frozenset({"mismatch", "near", "names", "missing", "unseen", "heading"})
"""Features that speak against an answer: one that comes out in favour is chance, and is left out."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class FittedConfidence(NamedTuple):
    """How sure the answers of a retriever are."""

    weights: Mapping[str, float]
    """What a model stores: the weight of each feature, `bias` and `threshold`."""
    figures: ConfidenceFigures


def fit_confidence(cases: Sequence[Case], decoding: Decoding, settings: AnsweringSettings) -> FittedConfidence:
    """Fit how sure an answer is, and below which confidence there is none.

    Raises:
        TooFewAnswersError: there are too few right or wrong answers.
    """
    cases = [case for case in cases if case.spans]
    rows = [
        features(candidates(case.spans, decoding, case.asked_question), decoding, case.asked_question) for case in cases
    ]
    right = np.array([answered(case, decoding) for case in cases], dtype=bool)
    if min(right.sum(), (~right).sum()) < FEWEST_ANSWERS:
        raise TooFewAnswersError(
            f"{right.sum()} answers are right and {(~right).sum()} wrong, at least {FEWEST_ANSWERS} of each are needed "
            "to fit a confidence; give more questions"
        )
    answerable = np.array([is_answerable(case) for case in cases], dtype=bool)
    counts = mixed(answerable, settings.answerable_share)
    stored = _weights(rows, right, counts)
    confident = Confidence.from_stored(stored)
    sure = np.array([confident(row) for row in rows])
    threshold = threshold_for(sure, right, settings.precision, counts)
    if threshold is None:
        logger.warning(
            "no confidence has answers that are right %.0f %% of the time: none is refused", 100 * settings.precision
        )
    stored["threshold"] = math.floor((threshold or 0.0) * 1e6) / 1e6
    accepted = sure >= stored["threshold"]
    figures = ConfidenceFigures(
        _figures(sure, right, answerable),
        answered=round(float(np.average(accepted, weights=counts)), 4),
        precision=round(float(np.average(right[accepted], weights=counts[accepted])), 4),
        sets={name: _figures(sure[own], right[own], answerable[own]) for name, own in _by_set(cases).items()},
    )
    return FittedConfidence(stored, figures)


def _weights(rows: Sequence[Mapping[str, float]], right: Bools, counts: Floats) -> dict[str, float]:
    """The weight of each feature, and `bias`."""
    names = [name for name in rows[0] if name not in REDUNDANT_FEATURES]
    while True:
        model = fit_logistic(np.array([[row[name] for name in names] for row in rows]), right, counts)
        weights = dict(zip(names, model.weights.tolist(), strict=True))
        wrong = {name: weight for name, weight in weights.items() if name in DOUBTING_FEATURES and weight > 0}
        if not wrong:
            return {name: float(f"{weight:.5g}") for name, weight in {**weights, "bias": model.bias}.items()}
        names.remove(max(wrong, key=wrong.__getitem__))


def mixed(answerable: Bools, share: float) -> Floats:
    """How often each case counts so that this share of them is answerable; (n,), 1 on average."""
    actual = answerable.mean()
    if actual in (0, 1):
        return np.ones(len(answerable))
    return np.asarray(np.where(answerable, share / actual, (1 - share) / (1 - actual)))


def _by_set(cases: Sequence[Case]) -> dict[str, Bools]:
    """Which cases belong to each set, (n,)."""
    names = np.array([case.set for case in cases])
    return {str(name): names == name for name in np.unique(names)}


def _figures(sure: Floats, right: Bools, answerable: Bools) -> AnswerFigures:
    return AnswerFigures(
        answers=len(sure),
        right=int(right.sum()),
        answerable=int(answerable.sum()),
        confidence=round(float(sure.mean()), 4),
        calibration_error=round(expected_calibration_error(sure, right), 4),
        auroc_right=_area(sure, right),
        auroc_answerable=_area(sure, answerable),
    )


def _area(sure: Floats, positive: Bools) -> float | None:
    """The area under ROC; None unless there are both kinds."""
    return round(area_under_roc(sure, positive), 4) if positive.any() and not positive.all() else None
