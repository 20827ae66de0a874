"""Recall by hand: whose score counts, and which passages do not."""

from __future__ import annotations

import numpy as np
import pytest

from opendpr.search.recall import best_scores, recalls
from opendpr.types import Neighbours

NUMBERS = np.array([1, 2, 3, 4, 5])
STORED = np.array([[5.0], [4.0], [3.0], [3.0], [1.0]], np.float32)
QUESTIONS, OWN = np.array([[1.0], [1.0]], np.float32), np.array([5, 1])
BEST = np.array([[5, 4, 3, 3], [4, 3, 3, 1]], np.float32)
DEPTHS = (1, 2, 3, 4)


def measured(*numbers: list[int], scores: np.ndarray = STORED[:, 0]) -> list[float]:
    """By depth, where each row's passages are returned, or none for the number 0."""
    rows = np.array(numbers) - 1
    returned = np.where(rows < 0, -np.inf, scores[rows])
    shares = recalls(Neighbours(returned, rows), OWN[: len(rows)] - 1, best=BEST[: len(rows)], depths=DEPTHS)
    assert tuple(shares) == DEPTHS
    return list(shares.values())


def test_the_best_scores_are_those_of_all_pieces_without_the_passage_of_the_question() -> None:
    pieces = [(NUMBERS[:2], STORED[:2]), (NUMBERS[2:], STORED[2:])]
    assert np.array_equal(best_scores(QUESTIONS, OWN, pieces=pieces, k=4, count=5), BEST)
    assert best_scores(QUESTIONS, OWN, pieces=[(NUMBERS, STORED)], k=1, count=5).tolist() == [[5], [4]]
    more = best_scores(QUESTIONS, OWN, pieces=pieces, k=6, count=5)
    assert np.array_equal(more[:, :4], BEST)
    assert (more[:, 4:] == -np.inf).all()


def test_all_that_is_best_is_found_whatever_the_order() -> None:
    assert measured([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == [1, 1, 1, 1]
    assert measured([4, 2, 1, 3, 5], [5, 4, 3, 2, 1]) == [1, 1, 1, 1]


def test_a_passage_of_the_same_score_is_as_good() -> None:
    assert measured([1, 2, 4, 0, 0]) == [1, 1, 1, 3 / 4]


def test_a_rounded_score_is_the_same_and_a_lower_one_is_not() -> None:
    assert measured([1, 2, 3, 4, 0], scores=STORED[:, 0] * np.float32(1 - 5e-6)) == [1, 1, 1, 1]
    assert measured([1, 2, 3, 4, 0], scores=STORED[:, 0] * np.float32(1 - 5e-5)) == [0, 1 / 2, 2 / 3, 2 / 4]


def test_rounding_is_that_of_the_largest_score() -> None:
    best, numbers = np.array([[5, 0]], np.float32), np.arange(3)[None]
    for last, share in ((-2e-5, 1.0), (-2e-4, 0.5)):
        nearest = Neighbours(np.array([[5, last, -1]], np.float32), numbers)
        assert recalls(nearest, np.array([-2]), best=best, depths=(2,)) == {2: share}


def test_passages_of_the_same_score_do_not_stand_for_better_ones() -> None:
    assert measured([3, 4, 0, 0, 0]) == [0, 0, 1 / 3, 2 / 4]
    assert measured([3, 4, 4, 4, 4]) == [0, 0, 1 / 3, 2 / 4]


def test_what_is_missing_does_not_count_nor_does_the_passage_of_the_question() -> None:
    assert measured([2, 5, 5, 5, 5], [1, 1, 1, 1, 1]) == [0, 1 / 4, 1 / 6, 1 / 8]


def test_fewer_neighbours_than_wanted_can_all_be_found() -> None:
    few = np.where(BEST < 4, -np.inf, BEST).astype(np.float32)
    nearest = Neighbours(np.array([[5.0, 4, 3, 3, 1], [-np.inf] * 5], np.float32), np.arange(10).reshape(2, 5))
    assert recalls(nearest, np.array([-2, -2]), best=few, depths=(1, 4)) == {1: 0.5, 4: 0.5}


@pytest.mark.parametrize("returned", [-np.inf, 1.0])
def test_a_question_without_neighbours_does_not_count(returned: float) -> None:
    best = np.vstack([BEST[:1], np.full((1, 4), -np.inf, np.float32)])
    nearest = Neighbours(np.array([[5.0, 4, 0, 0, 0], [returned] * 5]), np.arange(10).reshape(2, 5))
    assert recalls(nearest, np.array([-2, -2]), best=best, depths=(2, 4)) == {2: 1.0, 4: 0.5}
    assert recalls(Neighbours(*(part[1:] for part in nearest)), np.array([-2]), best=best[1:], depths=(2,)) == {2: 1.0}
