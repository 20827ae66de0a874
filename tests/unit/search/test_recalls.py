"""Recall by hand: whose score counts, and which passages do not."""

from __future__ import annotations

import numpy as np

from opendpr.search.effort import last_scores, recalls
from opendpr.types import Neighbours

NUMBERS = np.array([1, 2, 3, 4, 5])
STORED = np.array([[4.0], [3.0], [2.0], [2.0], [1.0]], np.float32)
QUESTIONS, OWN = np.array([[1.0], [1.0]], np.float32), np.array([1, 5])


def limits(depths: tuple[int, ...] = (2, 100)) -> dict[int, np.ndarray]:
    pieces = [(NUMBERS[:2], STORED[:2]), (NUMBERS[2:], STORED[2:])]
    return last_scores(QUESTIONS, OWN, pieces, 5, depths=depths, on_progress=lambda what, done, total: None)


def share(first: list[int], second: list[int]) -> dict[int, float]:
    numbers = np.array([first, second])
    return recalls(Neighbours(STORED[numbers - 1, 0], numbers), OWN, limits(), 5)


def test_the_last_neighbour_is_found_in_all_pieces_without_the_passage_of_the_question() -> None:
    by_depth = limits((1, 2, 3, 100))
    assert {depth: scores.tolist() for depth, scores in by_depth.items()} == {
        1: [3.0, 4.0],
        2: [2.0, 3.0],
        3: [2.0, 2.0],
        100: [1.0, 2.0],  # there are four others
    }


def test_a_passage_of_the_same_score_is_as_good() -> None:
    assert share([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == {2: 1.0, 100: 1.0}
    assert share([1, 2, 4, 3, 5], [1, 2, 4, 3, 5]) == {2: 1.0, 100: 1.0}


def test_what_is_lacking_or_worse_does_not_count_nor_does_the_passage_of_the_question() -> None:
    assert share([1, 2, 5, 5, 5], [2, 3, 4, 5, 5])[2] == 0.5
    assert share([1, 5, 5, 5, 5], [5, 5, 5, 5, 5])[2] == 0.0


def test_a_question_without_neighbours_does_not_count() -> None:
    alone = last_scores(
        QUESTIONS[:1], OWN[:1], [(NUMBERS[:1], STORED[:1])], 1, depths=(2,), on_progress=lambda what, done, total: None
    )
    assert recalls(Neighbours(STORED[:1], NUMBERS[None, :1]), OWN[:1], alone, 1) == {2: 1.0}
