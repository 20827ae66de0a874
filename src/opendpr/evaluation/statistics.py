"""How sure a figure is: bootstrap intervals, and the paired randomisation test of a difference.

Everything is over questions: a value belongs to one question (0 or 1 for an accuracy, an F1, an average
precision), a figure is the mean. All columns of one call share their draws, so a call is one pass. What the
values measure is not known here: each measure is a module of its own (`accuracy.py`, `ir_measures.py`,
`calibration.py`; exact match and F1 are in `text/answers.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BOOTSTRAP_SAMPLES = 10_000
"""Bootstrap samples, and random sign flips."""
INTERVAL_LEVEL = 0.95
BOOTSTRAP_BLOCK_CELLS = 2_000_000
"""How many numbers are drawn at once: 16 MB."""
SUM_TOLERANCE = 1e-9
"""Sums of the same numbers in another order count as equal."""


class Interval(NamedTuple):
    """A mean with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """A mean difference of paired values, its 95 % bootstrap interval, and the p of the randomisation test."""

    mean: float
    low: float
    high: float
    p: float


def bootstrap(
    values: ArrayLike, *, samples: int = BOOTSTRAP_SAMPLES, seed: int = 0, block_cells: int = BOOTSTRAP_BLOCK_CELLS
) -> list[Interval]:
    """The mean of each column with its percentile bootstrap interval.

    Args:
        values: (Q, m), a row for each question; at least one row
        block_cells: numbers drawn at once, which bounds the memory

    Returns:
        An interval for each of the m columns.
    """
    table = _table(values)
    generator = np.random.default_rng(seed)
    means = np.concatenate(list(_resampled_means(table, samples, generator, block_cells)))  # (samples, m)
    low, high = np.quantile(means, [(1 - INTERVAL_LEVEL) / 2, (1 + INTERVAL_LEVEL) / 2], axis=0)
    return [Interval(*map(float, column)) for column in zip(table.mean(axis=0), low, high, strict=True)]


def _resampled_means(table: Floats, samples: int, generator: np.random.Generator, block_cells: int) -> Iterator[Floats]:
    Q = len(table)
    block = max(1, block_cells // Q)
    for first in range(0, samples, block):
        count = min(block, samples - first)
        drawn = generator.integers(0, Q, (count, Q)) + np.arange(count)[:, None] * Q
        times = np.bincount(drawn.ravel(), minlength=count * Q).reshape(count, Q)
        yield times @ table / Q


def randomisation_test(differences: ArrayLike, *, samples: int = BOOTSTRAP_SAMPLES, seed: int = 0) -> list[float]:
    """Two-sided p of the paired randomisation test: how often random signs give a sum as far from 0.

    The observed signs count as one of the samples, so p is never 0 (Phipson and Smyth, 2010).

    Args:
        differences: (Q, m), the values of one system minus those of another

    Returns:
        A p for each of the m columns.
    """
    table = _table(differences)
    table = table[np.any(table != 0, axis=1)]
    observed = np.abs(table.sum(axis=0)) - SUM_TOLERANCE
    generator = np.random.default_rng(seed)
    extreme = np.zeros(table.shape[1])
    block = max(1, BOOTSTRAP_BLOCK_CELLS // max(1, len(table)))
    for first in range(0, samples, block):
        signs = generator.integers(0, 2, (min(block, samples - first), len(table))) * 2 - 1
        extreme += (np.abs(signs @ table) >= observed).sum(axis=0)
    return [float(p) for p in (extreme + 1) / (samples + 1)]


def compare(a: ArrayLike, b: ArrayLike, *, samples: int = BOOTSTRAP_SAMPLES, seed: int = 0) -> list[Difference]:
    """The paired difference `a - b` of each column.

    Args:
        a, b: (Q, m), the same questions in the same order
    """
    differences = _table(a) - _table(b)
    intervals = bootstrap(differences, samples=samples, seed=seed)
    tests = randomisation_test(differences, samples=samples, seed=seed)
    return [Difference(*interval, p) for interval, p in zip(intervals, tests, strict=True)]


def _table(values: ArrayLike) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not len(table):
        raise ValueError(f"values have shape {table.shape}, expected (Q, m) with at least one question")
    return table
