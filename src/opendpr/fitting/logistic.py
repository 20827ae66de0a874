"""Two small models fitted with numpy: which of several candidates is right, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_NEWTON_STEPS = 100
"""Steps of a fit at most."""
RIDGE_WEIGHT = 5.0
"""Weight of the squared weights of standardised features: little beside hundreds of rows."""
CHOICE_RIDGE = 0.003
"""The same for a choice, of the weights as they are: less than a question counts."""
SMALLEST_GAIN = 1e-8
"""A step that gains less is the last."""


class Logistic(NamedTuple):
    """P(right) = 1 / (1 + exp(-(bias + x . weights)))."""

    weights: Floats
    bias: float

    def __call__(self, x: Floats) -> Floats:
        """(n, m) -> (n,)"""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.bias + x @ self.weights, -30, 30))))


def fit_logistic(x: Floats, right: NDArray[np.bool_], counts: Floats | None = None) -> Logistic:
    """The most likely logistic model of whether rows are right, with a ridge on its standardised weights.

    Args:
        x: (n, m) features; one that is always the same gets weight 0
        right: (n,)
        counts: (n,) how often each row counts; once without
    """
    counts = np.ones(len(x)) if counts is None else counts
    mean = np.average(x, axis=0, weights=counts)
    spread = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=counts))
    spread = np.where(spread > 1e-9, spread, np.inf)
    table = np.column_stack([(x - mean) / spread, np.ones(len(x))])  # (n, m + 1), the bias last
    ridge = np.diag([RIDGE_WEIGHT] * x.shape[1] + [0.0])
    fitted = np.zeros(table.shape[1])
    for _ in range(MOST_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(table @ fitted, -30, 30)))
        gradient = table.T @ (counts * (right - p)) - ridge @ fitted
        curvature = (table * (counts * p * (1 - p))[:, None]).T @ table + ridge + 1e-9 * np.eye(len(fitted))
        step = np.linalg.solve(curvature, gradient)
        fitted = fitted + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < SMALLEST_GAIN:
            break
    weights = fitted[:-1] / spread
    return Logistic(weights, float(fitted[-1] - weights @ mean))


class Choice(NamedTuple):
    """The candidates of one question."""

    x: Floats
    """(S, m) features"""
    right: NDArray[np.bool_]
    """(S,), True at least once"""


def fit_choice(choices: Sequence[Choice], start: Floats) -> Floats:
    """The weights (m,) with which the right candidates are likeliest: P(s) proportional to exp(x_s . weights).

    What counts is the probability of all right candidates of a question together, and a little that no weight goes
    far from where it began: one that never speaks against a right candidate would have no end.

    Args:
        choices: at least one
        start: (m,) weights to begin with
    """
    most, m = max(len(choice.x) for choice in choices), len(start)
    x = np.zeros((len(choices), most, m))
    there, right = np.zeros((2, len(choices), most), dtype=bool)
    for row, choice in enumerate(choices):
        x[row, : len(choice.x)], there[row, : len(choice.x)] = choice.x, True
        right[row, : len(choice.x)] = choice.right
    weights, reached = start, -np.inf
    size, ridge = 1.0, CHOICE_RIDGE / len(choices)

    def reached_by(tried: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, curvature = _likelihood(x, there, right, tried)
        away = tried - start
        return value - ridge / 2 * float(away @ away), gradient - ridge * away, curvature + ridge * np.eye(m)

    for _ in range(MOST_NEWTON_STEPS):
        value, gradient, curvature = reached_by(weights)
        step = np.linalg.solve(curvature + 1e-6 * np.eye(m), gradient)
        while size > SMALLEST_GAIN and reached_by(weights + size * step)[0] < value:
            size /= 2
        if value - reached < SMALLEST_GAIN or size <= SMALLEST_GAIN:
            break
        weights, reached, size = weights + size * step, value, min(1.0, 2 * size)
    return weights


def _likelihood(
    x: Floats, there: NDArray[np.bool_], right: NDArray[np.bool_], weights: Floats
) -> tuple[float, Floats, Floats]:
    """Mean log-likelihood of the right ones, its gradient, and the curvature of the part that is concave."""
    values = x @ weights
    all_, right_ones = (_softmax(np.where(mask, values, -np.inf)) for mask in (there, right))
    mean = np.einsum("qs,qsm->qm", all_[0], x)
    gradient = (np.einsum("qs,qsm->qm", right_ones[0], x) - mean).mean(axis=0)
    spread = np.einsum("qs,qsm,qsn->mn", all_[0], x, x, optimize=True) / len(x)
    curvature = spread - np.einsum("qm,qn->mn", mean, mean) / len(x)
    return float((right_ones[1] - all_[1]).mean()), gradient, curvature


def _softmax(values: Floats) -> tuple[Floats, Floats]:
    """Softmax of each row, and its log-sum-exp."""
    largest = values.max(axis=1, keepdims=True)
    shifted = np.exp(values - largest)
    total = shifted.sum(axis=1, keepdims=True)
    return shifted / total, (largest + np.log(total))[:, 0]
