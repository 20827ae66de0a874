"""Phrase search finds what trying every phrase finds."""

from __future__ import annotations

import numpy as np
import pytest
from experiments.paper.systems.phrase_index import MOST_WORDS, PhraseIndex, StartLists

from opendpr.types import Vectors

DIM, WORDS, QUESTIONS = 8, 300, 5
PASSAGES = np.sort(np.random.default_rng(1).integers(0, 30, WORDS))


@pytest.fixture(scope="module")
def vectors() -> tuple[Vectors, Vectors, Vectors, Vectors]:
    generator = np.random.default_rng(0)
    starts, ends = (generator.normal(size=(WORDS, DIM)).astype(np.float32) for _ in range(2))
    start, end = (generator.normal(size=(QUESTIONS, DIM)).astype(np.float32) for _ in range(2))
    return starts, ends, start, end


def enumerated(starts: Vectors, ends: Vectors, start: Vectors, end: Vectors) -> list[tuple[float, int, int]]:
    """The best phrase of each passage for one question, best first, by trying all."""
    best: dict[int, tuple[float, int, int]] = {}
    for first in range(WORDS):
        for last in range(first, min(first + MOST_WORDS, WORDS)):
            phrase = float(starts[first] @ start + ends[last] @ end), first, last
            if PASSAGES[last] == PASSAGES[first] and phrase > best.get(PASSAGES[first], (-np.inf, 0, 0)):
                best[PASSAGES[first]] = phrase
    return sorted(best.values(), key=lambda phrase: -phrase[0])


def test_the_best_phrase_of_each_passage_is_that_of_trying_every_phrase(vectors: tuple[Vectors, ...]) -> None:
    starts, ends, start, end = vectors
    phrases = PhraseIndex(starts, ends, PASSAGES).search(start, end, 20)
    for row in range(QUESTIONS):
        expected = enumerated(starts, ends, start[row], end[row])[:20]
        assert phrases.first[row].tolist() == [first for _, first, _ in expected]
        assert phrases.last[row].tolist() == [last for _, _, last in expected]
        np.testing.assert_allclose(phrases.scores[row], [score for score, _, _ in expected], rtol=1e-5)


def test_what_is_added_to_a_passage_counts_for_its_phrases(vectors: tuple[Vectors, ...]) -> None:
    starts, ends, start, end = vectors
    index, added = PhraseIndex(starts, ends, PASSAGES), np.zeros((QUESTIONS, 30), np.float32)
    chosen = PASSAGES[np.arange(0, WORDS, WORDS // QUESTIONS)[:QUESTIONS]]
    added[np.arange(QUESTIONS), chosen] = 1_000
    plain, phrases = index.search(start, end, 30), index.search(start, end, 30, added=added)
    for row in range(QUESTIONS):
        assert PASSAGES[phrases.first[row, 0]] == chosen[row]
        scores = dict(zip(plain.first[row].tolist(), plain.scores[row].tolist(), strict=True))
        assert phrases.scores[row, 0] == pytest.approx(scores[phrases.first[row, 0]] + 1_000)
        rest = [first for first in plain.first[row].tolist() if PASSAGES[first] != chosen[row]]
        assert [first for first in phrases.first[row, 1:].tolist() if first >= 0] == [f for f in rest if f >= 0]


def test_no_phrase_leaves_its_passage_or_is_too_long(vectors: tuple[Vectors, ...]) -> None:
    starts, ends, start, end = vectors
    phrases = PhraseIndex(starts, ends, PASSAGES).search(start, end, 30)
    assert (PASSAGES[phrases.first] == PASSAGES[phrases.last]).all()
    assert ((phrases.last - phrases.first >= 0) & (phrases.last - phrases.first < MOST_WORDS)).all()


def test_lists_that_are_all_searched_find_what_the_exact_search_finds(vectors: tuple[Vectors, ...]) -> None:
    starts, ends, start, end = vectors
    index = PhraseIndex(starts, ends, PASSAGES)
    lists = StartLists(starts, lists=4, searched=4)
    exact, by_lists = index.search(start, end, 10), index.search_candidates(start, end, 10, lists=lists)
    np.testing.assert_array_equal(exact.first, by_lists.first)
    np.testing.assert_array_equal(exact.last, by_lists.last)


def test_fewer_candidates_than_wanted_are_padded(vectors: tuple[Vectors, ...]) -> None:
    starts, ends, start, end = vectors
    lists = StartLists(starts, lists=4, searched=1, candidates=3)
    phrases = PhraseIndex(starts, ends, PASSAGES).search_candidates(start, end, 10, lists=lists)
    assert phrases.first.shape == phrases.last.shape == (QUESTIONS, 10)
    assert (phrases.first[:, :3] >= 0).all()
    assert (phrases.first[:, 3:] == -1).all() and (phrases.last[:, 3:] == -1).all()
    assert np.isneginf(phrases.scores[:, 3:]).all()
