"""How well confidences are calibrated: pure functions of confidences and of which answers were right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opendpr.evaluation.statistics import Interval

Floats = NDArray[np.float64]

RELIABILITY_BINS = 10
"""Bins of equal width, from 0 to 1."""
NORMAL_QUANTILE = 1.96
"""Standard deviations on either side of a mean that hold 95 %."""


class Bin(NamedTuple):
    """Questions whose confidence lies in one part of [0, 1]."""

    confidence: float
    """Their mean confidence."""
    right: Interval
    """The share of them answered rightly, with its 95 % Wilson interval."""
    questions: int


def reliability(confidences: ArrayLike, right: ArrayLike, bins: int = RELIABILITY_BINS) -> list[Bin]:
    """The points of a reliability diagram: bins of equal width, without those that hold no question.

    Args:
        confidences: (Q,) in [0, 1]
        right: (Q,) whether, or how far, each answer was right
    """
    sure, good = _pair(confidences, right)
    places = np.minimum((sure * bins).astype(int), bins - 1)
    filled = [places == place for place in range(bins) if (places == place).any()]
    return [
        Bin(float(sure[held].mean()), _wilson(float(good[held].mean()), int(held.sum())), int(held.sum()))
        for held in filled
    ]


def expected_calibration_error(confidences: ArrayLike, right: ArrayLike, bins: int = RELIABILITY_BINS) -> float:
    """How far confidence and share of right answers lie apart, on average over the questions (Guo et al., 2017)."""
    filled = reliability(confidences, right, bins)
    gaps = sum(part.questions * abs(part.confidence - part.right.mean) for part in filled)
    return gaps / sum(part.questions for part in filled)


def area_under_roc(scores: ArrayLike, positive: ArrayLike) -> float:
    """How often a positive scores more than a negative, ties counting half; NaN without at least one of both."""
    values, wanted = _pair(scores, positive)
    chosen = wanted > 0.5
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # ties share the mean of their ranks
    positives, negatives = int(chosen.sum()), int((~chosen).sum())
    if not positives or not negatives:
        return float("nan")
    return float((ranks[chosen].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def threshold_for(
    confidences: ArrayLike, right: ArrayLike, precision: float, counts: ArrayLike | None = None
) -> float | None:
    """The least confidence from which on the answers are right this often; None if they never are.

    Where several thresholds keep the precision, the one that leaves most questions answered.

    Args:
        counts: (Q,) how often each question counts; once without
    """
    sure, good = _pair(confidences, right)
    _, often = _pair(sure, np.ones(len(sure)) if counts is None else counts)
    order = np.argsort(-sure, kind="stable")
    sure, good, often = sure[order], good[order], often[order]
    kept = np.cumsum(good * often) / np.cumsum(often)
    last_of_equals = np.append(sure[1:] != sure[:-1], True)
    enough = np.flatnonzero((kept >= precision) & last_of_equals)
    return float(sure[enough[-1]]) if len(enough) else None


def _wilson(share: float, n: int) -> Interval:
    """The 95 % interval of a share of n, also where it is 0 or 1 (Wilson, 1927)."""
    z = NORMAL_QUANTILE
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"expected two rows of the same questions, found shapes {first.shape} and {second.shape}")
    return first, second
