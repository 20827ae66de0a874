"""What the indexes promise, against slow and obvious versions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from opendpr.errors import CorruptionError
from opendpr.search.exact import ExactIndex
from opendpr.search.settings import ExactSettings, WordSettings
from opendpr.search.tantivy import TantivyIndex
from opendpr.types import Neighbours, Passage


def slow_search(
    numbers: Sequence[int],
    vectors: NDArray[np.float16],
    question: NDArray[np.float32],
    k: int,
    allowed: set[int] | None,
) -> tuple[list[float], list[int]]:
    """Every inner product, sorted, then padded."""
    scored = [
        (-float(vector.astype(np.float32) @ question), number)
        for number, vector in zip(numbers, vectors, strict=True)
        if allowed is None or number in allowed
    ]
    best = sorted(scored)[:k]
    missing = k - len(best)
    return [-score for score, _ in best] + [-math.inf] * missing, [number for _, number in best] + [-1] * missing


@st.composite
def exact_cases(draw: st.DrawFn) -> tuple[list[int], NDArray[np.float16], NDArray[np.float32], int, list[int] | None]:
    """Small integers as components, so that many scores are equal and every one is exact."""
    numbers = sorted(draw(st.sets(st.integers(1, 60), max_size=25)))
    dim = draw(st.integers(1, 3))
    component = st.integers(-2, 2)

    def matrix(rows: int) -> NDArray[np.float32]:
        cells = draw(st.lists(component, min_size=rows * dim, max_size=rows * dim))
        return np.array(cells, np.float32).reshape(rows, dim)

    allowed = draw(st.none() | st.lists(st.integers(1, 60), max_size=15))
    return (
        numbers,
        matrix(len(numbers)).astype(np.float16),
        matrix(draw(st.integers(0, 3))),
        draw(st.integers(1, 30)),
        allowed,
    )


@pytest.mark.parametrize("settings", [ExactSettings(), ExactSettings(wide_vectors=0)], ids=["few", "as of many"])
@given(exact_cases())
def test_exact_search_is_the_slow_obvious_one(
    settings: ExactSettings, case: tuple[list[int], NDArray[np.float16], NDArray[np.float32], int, list[int] | None]
) -> None:
    numbers, vectors, questions, k, allowed = case
    index = ExactIndex(np.array(numbers, np.int64), vectors, settings=settings)
    nearest = index.search(questions, k, None if allowed is None else np.array(allowed, np.int64))
    assert nearest.scores.shape == nearest.numbers.shape == (len(questions), k)
    assert (nearest.scores.dtype, nearest.numbers.dtype) == (np.float32, np.int64)
    for row, question in enumerate(questions):
        scores, expected = slow_search(numbers, vectors, question, k, None if allowed is None else set(allowed))
        assert nearest.numbers[row].tolist() == expected
        assert nearest.scores[row].tolist() == scores


def test_negative_scores_are_kept_and_missing_ones_are_padded() -> None:
    index = ExactIndex(np.array([7]), np.full((1, 4), -1, np.float16))
    nearest = index.search(np.ones((1, 4), np.float32), k=3)
    assert nearest.scores.tolist() == [[-4, -math.inf, -math.inf]]
    assert nearest.numbers.tolist() == [[7, -1, -1]]


def test_best_passages_are_found_in_every_block() -> None:
    count = 2 * ExactSettings().block_vectors + 100
    vectors = np.zeros((count, 2), np.float16)
    best = [
        count - 1,
        0,
        ExactSettings().block_vectors,
        ExactSettings().block_vectors - 1,
        2 * ExactSettings().block_vectors,
    ]
    for rank, row in enumerate(best):
        vectors[row, 0] = 10 - rank
    numbers = np.arange(count) * 3 + 1
    nearest = ExactIndex(numbers, vectors).search(np.array([[1, 0], [-1, 0]], np.float32), k=7)
    assert nearest.numbers[0].tolist() == [*(3 * row + 1 for row in best), 4, 7], "equal scores: the smallest numbers"
    assert nearest.numbers[1].tolist() == [4, 7, 10, 13, 16, 19, 22]
    assert nearest.scores[1].tolist() == [0.0] * 7


def test_scores_of_given_numbers_are_in_their_order_and_unknown_ones_have_none() -> None:
    index = ExactIndex(np.array([2, 5, 9]), np.array([[1], [2], [-3]], np.float16))
    scores = index.score(np.array([2], np.float32), np.array([9, 4, 2, 100, 5, 0]))
    assert scores.tolist() == [-6, -math.inf, 2, -math.inf, 4, -math.inf]
    empty = ExactIndex(np.empty(0, np.int64), np.empty((0, 1), np.float16))
    assert empty.score(np.array([2], np.float32), np.array([9])).tolist() == [-math.inf]
    assert empty.search(np.ones((1, 1), np.float32), k=2).numbers.tolist() == [[-1, -1]]
    assert len(empty) == 0


WORDS = ["river", "mountain", "letter", "queen", "battle", "poem", "stone", "glass", "winter", "harbour"]
LENGTH = 8
"""Words of every passage below: tantivy keeps lengths in one byte, so equal lengths are kept exactly."""
K1, B = 1.2, 0.75
STOP = {
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "but",
    "by",
    "for",
    "if",
    "in",
    "into",
    "is",
    "it",
    "no",
    "not",
    "of",
}
STOP |= {
    "on",
    "or",
    "such",
    "that",
    "the",
    "their",
    "then",
    "there",
    "these",
    "they",
    "this",
    "to",
    "was",
    "will",
    "with",
}


def passages(count: int, seed: int = 0, vocabulary: Sequence[str] = WORDS) -> list[Passage]:
    """Texts of LENGTH words, all in lower case and without endings that the stemmer could take off."""
    generator = np.random.default_rng(seed)
    rare = 1 / np.arange(1, len(vocabulary) + 1)
    draws = generator.choice(vocabulary, (count, LENGTH), p=rare / rare.sum())
    return [Passage(3 * n + 5, "d", words[0], " ".join(words[1:]), 0) for n, words in enumerate(draws.tolist())]


def stemmed(text: str) -> list[str]:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.lowercase())
    return list(builder.filter(tantivy.Filter.stemmer("english")).build().analyze(text))


def slow_bm25(question: str, collection: Sequence[Passage]) -> dict[int, float]:
    """BM25 with Lucene's idf, written out."""
    words = {passage.number: stemmed(f"{passage.title}\n{passage.text}") for passage in collection}
    average = sum(map(len, words.values())) / len(words)
    kept = [word for word in question.lower().replace("?", "").split() if word not in STOP]
    question_words = kept or question.lower().split()
    scores = {}
    for number, own in words.items():
        score = 0.0
        for word in set(stemmed(" ".join(question_words))):
            n, tf = sum(word in others for others in words.values()), own.count(word)
            idf = math.log(1 + (len(words) - n + 0.5) / (n + 0.5))
            score += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(own) / average))
        scores[number] = score
    return scores


@pytest.fixture(scope="module")
def collection() -> list[Passage]:
    return passages(60)


@pytest.fixture(scope="module")
def index(collection: list[Passage]) -> TantivyIndex:
    index = TantivyIndex()
    index.update([], collection)
    return index


def same_ranking(nearest: Neighbours, expected: dict[int, float], k: int) -> None:
    ranked = sorted(((-round(score, 4), number) for number, score in expected.items() if score > 0))[:k]
    kept = nearest.numbers[0] >= 0
    assert nearest.numbers.shape == nearest.scores.shape == (1, k)
    assert nearest.numbers[0][kept].tolist() == [number for _, number in ranked]
    np.testing.assert_allclose(nearest.scores[0][kept], [expected[number] for _, number in ranked], rtol=1e-5)
    assert np.isneginf(nearest.scores[0][~kept]).all()


@settings(max_examples=40, deadline=None)
@given(words=st.lists(st.sampled_from([*WORDS, "the", "of", "zebra"]), min_size=1, max_size=6), k=st.integers(1, 70))
def test_bm25_is_the_formula_written_out(
    index: TantivyIndex, collection: list[Passage], words: list[str], k: int
) -> None:
    question = " ".join(words)
    expected = slow_bm25(question, collection)
    same_ranking(index.search(question, k), expected, k)
    numbers = np.random.default_rng(k).permutation([passage.number for passage in collection])
    np.testing.assert_allclose(
        index.score(question, numbers), [expected[number] for number in numbers.tolist()], rtol=1e-5, atol=1e-6
    )


def test_case_punctuation_and_endings_do_not_matter(index: TantivyIndex, collection: list[Passage]) -> None:
    nearest = index.search("Which QUEENS, in winters?", 10)
    same_ranking(nearest, slow_bm25("which queen winter", collection), 10)


def test_stop_words_do_not_score_but_a_question_of_nothing_else_finds_them() -> None:
    index = TantivyIndex()
    index.update([], [Passage(1, "d", "", "to be or not to be", 0), Passage(2, "d", "", "the river of the north", 0)])
    assert index.search("the river", 2).scores.tolist() == index.search("river", 2).scores.tolist()
    assert index.search("to be or not to be", 2).numbers.tolist() == [[1, -1]]
    assert index.score("to be or not to be", np.array([2, 1]))[1] > 0


def test_unknown_words_and_empty_questions_find_nothing(index: TantivyIndex, collection: list[Passage]) -> None:
    numbers = np.array([collection[0].number, collection[1].number])
    for question in ("zebra", "", " ", "?!", "\ud800"):
        assert index.search(question, 3).numbers.tolist() == [[-1, -1, -1]]
        assert np.isneginf(index.search(question, 3).scores).all()
        assert index.score(question, numbers).tolist() == [0, 0]


def test_the_question_is_words_and_never_a_query_language(index: TantivyIndex, collection: list[Passage]) -> None:
    nearest = index.search('+queen -river "battle poem" number:5 text:* AND (', 60)
    same_ranking(nearest, slow_bm25("queen river battle poem", collection), 60)


def test_only_allowed_passages_are_found_with_the_scores_of_the_whole(
    index: TantivyIndex, collection: list[Passage]
) -> None:
    allowed = np.array([passage.number for passage in collection[::4]] + [10_000])
    expected = slow_bm25("queen battle", collection)
    few = {number: score for number, score in expected.items() if number in set(allowed.tolist())}
    same_ranking(index.search("queen battle", 40, allowed), few, 40)
    assert index.search("queen battle", 2, np.empty(0, np.int64)).numbers.tolist() == [[-1, -1]]


def test_scores_of_numbers_that_are_not_there_are_zero(index: TantivyIndex) -> None:
    assert index.score("queen", np.array([1, 10_000])).tolist() == [0, 0]
    assert index.score("queen", np.empty(0, np.int64)).shape == (0,)


def test_equal_scores_are_in_order_of_number_even_when_many() -> None:
    """More passages with the same words than are fetched beyond k, in several segments, in no order."""
    index = TantivyIndex()
    ties = WordSettings().tie_passages
    numbers = np.random.default_rng(3).permutation(np.arange(1, 4 * ties + 1)).tolist()
    for first in range(0, len(numbers), ties):
        index.update([], [Passage(n, "d", "", "river stone", 0) for n in numbers[first : first + ties]])
    assert index.search("river", 5).numbers.tolist() == [[1, 2, 3, 4, 5]]


def test_updating_twice_is_harmless_and_removed_passages_are_gone(tmp_path: Path, collection: list[Passage]) -> None:
    gone = [passage.number for passage in collection[:10]]
    (tmp_path / "bm25").mkdir()
    index = TantivyIndex(tmp_path / "bm25")
    for _ in range(2):
        index.update([], collection)
        assert len(index) == len(collection)
    for _ in range(2):
        index.update(gone, [])
        assert len(index) == len(collection) - 10
    nearest = index.search("river mountain letter queen battle", 60).numbers[0]
    assert not set(gone) & set(nearest.tolist())
    assert len(set(nearest[nearest >= 0].tolist())) == (nearest >= 0).sum() > 0
    assert index.score("river", np.array(gone)).tolist() == [0] * 10
    again = TantivyIndex(tmp_path / "bm25").search("river mountain letter queen battle", 60)
    assert again.numbers[0].tolist() == nearest.tolist()


def test_a_number_added_again_has_its_new_words() -> None:
    index = TantivyIndex()
    index.update([], [Passage(1, "d", "", "river", 0)])
    index.update([], [Passage(1, "d", "", "stone", 0)])
    assert index.search("river", 1).numbers.tolist() == [[-1]]
    assert index.search("stone", 1).numbers.tolist() == [[1]]


def test_opening_an_index_makes_none(tmp_path: Path) -> None:
    """A reader that comes between two renames would leave an empty one in the place of the new one."""
    with pytest.raises(CorruptionError, match="cannot be opened"):
        TantivyIndex(tmp_path / "bm25")
    assert not (tmp_path / "bm25").exists()
