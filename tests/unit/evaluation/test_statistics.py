"""Intervals and paired tests: by hand, against naive versions, and against exact enumeration."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendpr.evaluation import bootstrap, compare, first_rank, randomisation_test, top_k_accuracy


def naive_interval(values: list[float], samples: int) -> tuple[float, float]:
    """One sample after another, with another generator."""
    generator = random.Random(1)
    means = sorted(sum(generator.choices(values, k=len(values))) / len(values) for _ in range(samples))
    return means[round(0.025 * samples)], means[round(0.975 * samples) - 1]


def exact_p(differences: list[float]) -> float:
    """Of all ways to set the signs, the share whose sum is at least as far from 0."""
    observed = abs(sum(differences))
    signs = list(product((-1, 1), repeat=len(differences)))
    sums = [sum(sign * value for sign, value in zip(row, differences, strict=True)) for row in signs]
    return sum(abs(value) >= observed - 1e-9 for value in sums) / len(signs)


@pytest.mark.parametrize("seed", range(4))
def test_an_interval_is_that_of_a_naive_bootstrap(seed: int) -> None:
    generator = random.Random(seed)
    values = [generator.choice([0.0, 0.25, 1.0, 1.0]) for _ in range(60)]
    (interval,) = bootstrap([[value] for value in values], seed=seed)
    low, high = naive_interval(values, 5_000)
    assert interval.mean == pytest.approx(sum(values) / 60)
    assert interval.low == pytest.approx(low, abs=0.02)
    assert interval.high == pytest.approx(high, abs=0.02)


def test_an_interval_holds_the_true_mean_about_95_times_of_100() -> None:
    generator = np.random.default_rng(0)
    tables = generator.random((300, 80, 1)) < 0.3
    inside = [low <= 0.3 <= high for ((_, low, high),) in (bootstrap(table, samples=1_000) for table in tables)]
    assert 0.90 <= np.mean(inside) <= 0.98


def test_the_same_seed_gives_the_same_figures_and_columns_do_not_disturb_each_other() -> None:
    values = np.random.default_rng(3).random((50, 2))
    assert bootstrap(values) == bootstrap(values)
    assert bootstrap(values) != bootstrap(values, seed=1)
    assert bootstrap(values)[1] == pytest.approx(bootstrap(values[:, 1:])[0])


def test_blocks_do_not_change_what_is_drawn_from() -> None:
    values = np.random.default_rng(3).random((50, 1))
    (whole,) = bootstrap(values)
    (pieces,) = bootstrap(values, block_cells=700)
    assert pieces == pytest.approx(whole, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.1, 1.0]), min_size=1, max_size=9))
def test_the_randomisation_test_is_exact_enumeration_but_for_chance(differences: list[float]) -> None:
    (p,) = randomisation_test([[value] for value in differences])
    assert p == pytest.approx(exact_p(differences), abs=0.025)


def test_a_clear_difference_has_a_small_p_and_none_has_p_1() -> None:
    ones, zeros = np.ones((40, 1)), np.zeros((40, 1))
    assert randomisation_test(ones) == [1 / 10_001]
    assert randomisation_test(zeros) == [1.0]
    (better,) = compare(ones, zeros)
    (worse,) = compare(zeros, ones)
    assert better == (1.0, 1.0, 1.0, 1 / 10_001)
    assert worse[:3] == (-1.0, -1.0, -1.0)


def test_a_paired_difference_is_surer_than_two_intervals() -> None:
    """b is right wherever a is, and on a tenth of the questions besides."""
    a = np.repeat([[0.0], [0.0], [1.0]], 100, axis=0)
    b = a.copy()
    b[:30] = 1
    (of_a,), (of_b,), (difference,) = bootstrap(a), bootstrap(b), compare(b, a)
    assert of_b.low < of_a.high
    assert difference.low > 0.05
    assert difference.p < 0.001


@pytest.mark.parametrize("values", [[], [1.0, 0.0], np.empty((0, 2))])
def test_a_table_without_questions_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="at least one question"):
        bootstrap(values)


def test_top_k_accuracy_counts_first_ranks() -> None:
    ranks = [first_rank(matches) for matches in ([True, True], [False, False, True], [False], [])]
    assert ranks == [1, 3, None, None]
    assert [top_k_accuracy(ranks, k) for k in (1, 2, 3, 100)] == [0.25, 0.25, 0.5, 0.5]
    with pytest.raises(ValueError, match="no questions"):
        top_k_accuracy([], 1)
