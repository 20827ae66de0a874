"""What may be among the best of a union is scored by words; what is left out is not among them."""

from __future__ import annotations

import numpy as np
import pytest

from opendpr.search.union import contenders
from opendpr.types import Neighbours

M, NAMED = 3_000, 200
UNION = np.sort(np.random.default_rng(5).choice(M, 900, replace=False)) + 7


def bm25_of(generator: np.random.Generator, sharing: int) -> np.ndarray:
    """Scores of all M passages, of which this many share a word with the question; some are equal."""
    scores = np.zeros(M, np.float32)
    rows = generator.choice(M, sharing, replace=False)
    scores[rows] = np.round(generator.gamma(2.0, 3.0, sharing), 1).astype(np.float32) + np.float32(0.1)
    return scores


def named(scores: np.ndarray, wanted: int) -> Neighbours:
    """The search by words, whose scores differ in their last bits."""
    order = np.lexsort((np.arange(M), -scores))[:wanted]
    order = order[scores[order] > 0]
    numbers = np.full((1, wanted), -1)
    listed = np.full((1, wanted), -np.inf, np.float32)
    numbers[0, : len(order)], listed[0, : len(order)] = order + 7, np.nextafter(scores[order], np.float32(0))
    return Neighbours(listed, numbers)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sharing", [0, 1, 40, 1_000, M])
@pytest.mark.parametrize("weight", [0.0, 4.0, 300.0])
@pytest.mark.parametrize("k", [1, 20, 899, 2_000])
def test_the_best_by_both_scores_are_contenders(seed: int, sharing: int, weight: float, k: int) -> None:
    generator = np.random.default_rng(seed)
    bm25, dense = bm25_of(generator, sharing), generator.uniform(-1, 1, len(UNION)).astype(np.float32)
    dense[:50] = dense[0]
    total = bm25[UNION - 7] + weight * dense
    kept = contenders(UNION, weight * dense, named(bm25, NAMED), k)
    assert kept[total >= np.sort(total)[-min(k, len(UNION))]].all()


def test_most_of_a_union_needs_no_score_by_words() -> None:
    generator = np.random.default_rng(0)
    words, dense = named(bm25_of(generator, M), NAMED), generator.uniform(0, 0.1, len(UNION)).astype(np.float32)
    assert contenders(UNION, dense, words, 20).sum() < 60


def test_a_passage_without_a_word_of_the_question_can_be_the_best() -> None:
    dense = np.zeros(len(UNION), np.float32)
    dense[-1] = 40.0
    words = named(bm25_of(np.random.default_rng(0), 40), NAMED)
    assert contenders(UNION, dense, words, 1).tolist() == [False] * (len(UNION) - 1) + [True]


def test_an_empty_union_has_no_contenders() -> None:
    nothing = np.empty(0, np.int64)
    assert not len(contenders(nothing, np.empty(0, np.float32), named(np.zeros(M, np.float32), NAMED), 5))
