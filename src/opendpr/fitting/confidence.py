"""Fitting how sure an answer is, and below which confidence there is none."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendpr.answering.confidence import Confidence, features
from opendpr.answering.decoding import Decoding, candidates
from opendpr.errors import InputError
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, threshold_for
from opendpr.fitting.cases import Case, answered, is_answerable
from opendpr.fitting.logistic import fit_logistic

logger = logging.getLogger(__name__)

FEWEST_ANSWERS = 30
"""Right answers, and wrong ones, without which no confidence is fitted."""


def fit_confidence(
    cases: Sequence[Case], decoding: Decoding, precision: float
) -> tuple[dict[str, float], dict[str, Any]]:
    """The weights that a model stores for a confidence, and its figures on these cases.

    Raises:
        InputError: there are too few right or wrong answers.
    """
    pairs = [(case, candidates(case.spans, decoding)) for case in cases if case.spans]
    rows = [features(options, decoding) for _, options in pairs]
    right = np.array([answered(case, decoding) for case, _ in pairs], dtype=bool)
    if min(right.sum(), (~right).sum()) < FEWEST_ANSWERS:
        raise InputError(
            f"{right.sum()} answers are right and {(~right).sum()} wrong, at least {FEWEST_ANSWERS} of each are needed "
            "to fit a confidence; give more questions"
        )
    names = list(rows[0])
    model = fit_logistic(np.array([[row[name] for name in names] for row in rows]), right)
    stored = {name: float(f"{value:.5g}") for name, value in zip(names, model.weights.tolist(), strict=True)}
    stored["bias"] = float(f"{model.bias:.5g}")
    confident = Confidence.of(stored)
    sure = np.array([confident(row) for row in rows])
    threshold = threshold_for(sure, right, precision)
    if threshold is None:
        logger.warning("no confidence has answers that are right %.0f %% of the time: none is refused", 100 * precision)
    stored["threshold"] = math.floor((threshold or 0.0) * 1e6) / 1e6
    return stored, _figures(sure, right, [case for case, _ in pairs], stored["threshold"])


def _figures(
    sure: NDArray[np.float64], right: NDArray[np.bool_], cases: Sequence[Case], threshold: float
) -> dict[str, Any]:
    """What a confidence is worth: how well it is calibrated, tells right from wrong, and does at its threshold."""
    given = sure >= threshold
    answerable = np.array([is_answerable(case) for case in cases], dtype=bool)
    return {
        "answers": len(cases),
        "right": int(right.sum()),
        "calibration error": round(expected_calibration_error(sure, right), 4),
        "AUROC right": round(area_under_roc(sure, right), 4),
        "AUROC answerable": round(area_under_roc(sure, answerable), 4) if not answerable.all() else None,
        "answered": round(float(given.mean()), 4),
        "precision": round(float(right[given].mean()), 4),
    }
