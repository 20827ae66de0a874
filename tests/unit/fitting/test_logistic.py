"""The two small models of fitting: they find what made the data, and agree with slow obvious ways."""

from __future__ import annotations

import numpy as np
import pytest

from opendpr.fitting.logistic import Choice, fit_choice, fit_logistic


def test_a_logistic_model_finds_the_weights_that_made_the_data() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(0, [1, 5, 0.5], (20_000, 3))
    right = generator.random(len(x)) < 1 / (1 + np.exp(-(0.5 + x @ [1.0, -0.3, 2.0])))
    fitted = fit_logistic(x, right)
    np.testing.assert_allclose(fitted.weights, [1.0, -0.3, 2.0], atol=0.2)
    assert fitted.bias == pytest.approx(0.5, abs=0.1)
    assert fitted(x).mean() == pytest.approx(right.mean(), abs=1e-6), "the bias is free of the ridge"


def test_features_that_tell_nothing_or_all_do_no_harm() -> None:
    x = np.column_stack([np.ones(100), np.arange(100.0)])
    fitted = fit_logistic(x, np.arange(100) >= 50)
    assert fitted.weights[0] == 0
    assert np.isfinite(fitted.weights).all()
    assert ((fitted(x) > 0.5) == (np.arange(100) >= 50)).all()


def test_choices_find_the_weights_that_made_them() -> None:
    generator = np.random.default_rng(1)
    choices = []
    for _ in range(4_000):
        x = generator.normal(0, 1, (int(generator.integers(2, 9)), 2))
        p = np.exp(x @ [1.5, 0.5])
        chosen = generator.choice(len(x), p=p / p.sum())
        choices.append(Choice(x, np.arange(len(x)) == chosen))
    np.testing.assert_allclose(fit_choice(choices, np.array([1.0, 1.0])), [1.5, 0.5], atol=0.1)


def test_several_right_candidates_count_together() -> None:
    """Two rows alike and one that differs: with weight 0 two of three are right already, and more weight is better."""
    generator = np.random.default_rng(2)
    choices = []
    for _ in range(500):
        x = generator.normal(0, 1, (6, 1))
        choices.append(Choice(x, (x[:, 0] > 0) | (np.arange(6) == 0)))
    weights = fit_choice(choices, np.zeros(1))

    def likelihood(weight: float) -> float:
        shares = [np.exp(weight * choice.x[:, 0]) for choice in choices]
        return float(np.mean([np.log(s[c.right].sum() / s.sum()) for s, c in zip(shares, choices, strict=True)]))

    best = max(np.linspace(0, 10, 1_001), key=likelihood)
    assert weights[0] == pytest.approx(best, abs=0.02)
