"""What every vector index promises, of exact search and of lists and codes alike, against the slow and obvious way."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest

from opendpr.errors import CorruptionError, ResourceError
from opendpr.protocols import VectorIndex
from opendpr.search.effort import choose_effort
from opendpr.search.exact import ExactIndex
from opendpr.search.faiss import FAISS_THREADS, Codes, factory, widen
from opendpr.search.ivf import Effort, IvfIndex
from opendpr.search.recall import best_scores, recalls
from opendpr.search.settings import ExactSettings, IvfSettings

N, D, LISTS = 2_000, 16, 16
QUESTIONS = np.random.default_rng(9).standard_normal((20, D), dtype=np.float32)
REMOVED = np.arange(5, 3 * N, 21)
"""Of the numbers 2, 5, 8, ...: every seventh one."""


def data() -> tuple[np.ndarray, np.ndarray]:
    """Numbers with gaps, and vectors of which some are equal."""
    vectors = np.random.default_rng(1).standard_normal((N, D)).astype(np.float16)
    vectors[100:110] = vectors[100]
    return np.arange(2, 3 * N, 3), vectors


def make_codes() -> Codes:
    _, vectors = data()
    codes = Codes.train(vectors.astype(np.float32), LISTS)
    codes.add(vectors[:700].astype(np.float32))
    codes.add(vectors[700:].astype(np.float32))
    return codes


@pytest.fixture(scope="module")
def codes() -> Codes:
    return make_codes()


EXACT_SETTINGS = {
    "exact": ExactSettings(),
    "exact, as of many": ExactSettings(wide_vectors=100),
    "exact, by threads": ExactSettings(wide_vectors=100, thread_vectors=100),
    "exact, many questions": ExactSettings(wide_vectors=100, single_questions=0),
}


@pytest.fixture(params=[*EXACT_SETTINGS, "ivf", "ivf without some"])
def index(request: pytest.FixtureRequest, codes: Codes) -> VectorIndex:
    """Each index, with an effort that finds everything."""
    numbers, vectors = data()
    if request.param in EXACT_SETTINGS:
        return ExactIndex(numbers, vectors, settings=EXACT_SETTINGS[request.param])
    whole = IvfIndex(codes, numbers, vectors, Effort(LISTS, 8))
    return whole if request.param == "ivf" else whole.without(REMOVED)


def slow(question, k, allowed=None, removed=()):
    numbers, vectors = data()
    scored = [
        (-float(vector.astype(np.float32) @ question), int(number))
        for number, vector in zip(numbers, vectors, strict=True)
        if (allowed is None or number in allowed) and number not in removed
    ]
    best = sorted(scored)[:k]
    missing = k - len(best)
    return [-score for score, _ in best] + [-math.inf] * missing, [number for _, number in best] + [-1] * missing


def removed_of(index: VectorIndex) -> set[int]:
    return set(REMOVED.tolist()) if len(index) < N else set()


def same(nearest, rows, removed, k, allowed=None):
    assert nearest.scores.shape == nearest.numbers.shape == (len(rows), k)
    assert (nearest.scores.dtype, nearest.numbers.dtype) == (np.float32, np.int64)
    for question, scores, numbers in zip(rows, nearest.scores, nearest.numbers, strict=True):
        expected_scores, expected = slow(question, k, allowed, removed)
        np.testing.assert_allclose(scores, expected_scores, rtol=1e-4, atol=1e-4)
        assert numbers.tolist() == expected


@pytest.mark.parametrize("k", [1, 10, 100])
def test_the_best_are_found_in_order(index: VectorIndex, k: int) -> None:
    assert index.dim == D
    same(index.search(QUESTIONS, k), QUESTIONS, removed_of(index), k)


@pytest.mark.parametrize("share", [2, 3, 40, 500])
def test_only_allowed_ones_are_found(index: VectorIndex, share: int) -> None:
    """Of many, of few, of fewer than asked for; with numbers that are not there."""
    allowed = np.arange(0, 3 * N + 100, share)
    same(index.search(QUESTIONS, 10, allowed), QUESTIONS, removed_of(index), 10, set(allowed.tolist()))


def test_more_than_there_are_is_all_and_padding(index: VectorIndex) -> None:
    nearest = index.search(QUESTIONS[:2], N + 7)
    same(nearest, QUESTIONS[:2], removed_of(index), N + 7)
    assert index.search(QUESTIONS[:1], 3, np.empty(0, np.int64)).numbers.tolist() == [[-1, -1, -1]]
    assert np.isneginf(index.search(QUESTIONS[:1], 3, np.array([10**6])).scores).all()


def test_no_questions_find_nothing(index: VectorIndex) -> None:
    assert index.search(np.empty((0, D), np.float32), 5).numbers.shape == (0, 5)


def test_equal_vectors_are_in_order_of_number(index: VectorIndex) -> None:
    numbers, vectors = data()
    question = vectors[100:101].astype(np.float32)
    wanted = [number for number in numbers[100:110].tolist() if number not in removed_of(index)]
    assert index.search(question, 10).numbers[0][: len(wanted)].tolist() == wanted


@pytest.mark.parametrize("k", [1, 5, 23, 70])
@pytest.mark.parametrize("share", [1, 2])
@pytest.mark.parametrize("kind", ["exact, as of many", "exact, by threads"])
def test_of_many_equal_vectors_the_smallest_numbers_win(k: int, share: int, kind: str) -> None:
    generator = np.random.default_rng(k)
    numbers, vectors = np.arange(1, N + 1), generator.standard_normal((N, 384)).astype(np.float16)
    vectors[generator.choice(N, 200, replace=False)] = vectors[7]
    equal = numbers[(vectors == vectors[7]).all(axis=1) & (numbers % share == 0)]
    question = vectors[7:8].astype(np.float32)
    index = ExactIndex(numbers, vectors, settings=EXACT_SETTINGS[kind])
    nearest = index.search(question, k, numbers[numbers % share == 0])
    assert nearest.numbers[0].tolist() == equal[:k].tolist()


def test_scores_of_given_numbers(index: ExactIndex | IvfIndex) -> None:
    numbers, vectors = data()
    wanted = np.array([numbers[3], 1, numbers[0], 10**6, 26])
    scores = index.score(QUESTIONS[0], wanted)
    gone = removed_of(index)
    for number, score in zip(wanted.tolist(), scores.tolist(), strict=True):
        places = np.flatnonzero(numbers == number)
        there = len(places) and number not in gone
        expected = float(vectors[places[0]].astype(np.float32) @ QUESTIONS[0]) if there else -math.inf
        assert score == pytest.approx(expected, rel=1e-4)
    assert index.contains(wanted).tolist() == np.isfinite(index.score(QUESTIONS[0], wanted)).tolist()


def test_with_little_effort_as_many_are_found_as_there_are(codes: Codes) -> None:
    """One list of 16 holds too few; filters and removed ones do not change that."""
    numbers, vectors = data()
    index = IvfIndex(codes, numbers, vectors, Effort(1, 1))
    for allowed in (None, numbers[::2], numbers[::10]):
        nearest = index.without(REMOVED).search(QUESTIONS, 150, allowed)
        assert (nearest.numbers >= 0).all()
        assert all(len(set(row)) == 150 for row in nearest.numbers.tolist())
        assert not np.isin(nearest.numbers, REMOVED).any()
        assert allowed is None or np.isin(nearest.numbers, allowed).all()
        assert (np.diff(nearest.scores, axis=1) <= 0).all()


def test_several_threads_refine_many_questions_to_the_same(codes: Codes) -> None:
    numbers, vectors = data()
    at_once = IvfIndex(codes, numbers, vectors, Effort(4, 2)).search(QUESTIONS, 10)
    settings = IvfSettings(candidate_bytes=1)
    assert len(QUESTIONS) >= settings.threaded_pieces
    one_by_one = IvfIndex(codes, numbers, vectors, Effort(4, 2), settings=settings).search(QUESTIONS, 10)
    assert one_by_one.numbers.tolist() == at_once.numbers.tolist()
    np.testing.assert_allclose(one_by_one.scores, at_once.scores, rtol=1e-6)


def test_the_threads_that_refine_serve_every_search_and_end_with_the_index() -> None:
    numbers, vectors = data()
    index = IvfIndex(make_codes(), numbers, vectors, Effort(4, 2), settings=IvfSettings(candidate_bytes=1))
    before = set(threading.enumerate())
    index.search(QUESTIONS, 10)
    working = set(threading.enumerate()) - before
    assert working
    index.without(REMOVED).search(QUESTIONS, 10)
    assert len(set(threading.enumerate()) - before) <= FAISS_THREADS
    del index
    for thread in working:
        thread.join(60)
    assert not any(thread.is_alive() for thread in working)


def test_a_damaged_vector_hides_itself_and_nothing_else(codes: Codes) -> None:
    numbers, vectors = data()
    vectors[numbers.tolist().index(slow(QUESTIONS[0], 1)[1][0])] = np.nan
    nearest = IvfIndex(codes, numbers, vectors, Effort(LISTS, 8)).search(QUESTIONS[:1], 9)
    assert nearest.numbers[0].tolist() == slow(QUESTIONS[0], 10)[1][1:]


def test_recall_is_what_counting_by_hand_gives(codes: Codes) -> None:
    numbers, vectors = data()
    index = IvfIndex(codes, numbers, vectors, Effort(2, 2), settings=IvfSettings(least_wanted=1))
    whole, rows = ExactIndex(numbers, vectors), np.arange(0, N, 50)
    questions = vectors[rows].astype(np.float32)
    nearest, shares = index.nearest(questions, 21), {}
    for depth in (5, 20):
        best = whole.search(questions, depth + 1)
        others = [[n for n in row if n != own][:depth] for row, own in zip(best.numbers, numbers[rows], strict=True)]
        shares[depth] = np.mean(
            [len(set(row) & set(right)) / depth for row, right in zip(nearest.numbers, others, strict=True)]
        )
    scores = best_scores(questions, numbers[rows], pieces=[(numbers, vectors)], k=20, count=N)
    measured = recalls(nearest, numbers[rows], best=scores, depths=(5, 20))
    assert measured == pytest.approx(shares, abs=0.01)
    assert measured[20] < 0.9, "the effort is little"


def test_the_effort_chosen_reaches_the_recall(codes: Codes) -> None:
    numbers, vectors = data()
    index = IvfIndex(codes, numbers, vectors, Effort(1, 1), settings=IvfSettings(least_wanted=1))
    efforts = []
    for target in (0.5, 0.9, 0.99):
        chosen = choose_effort(index, target)
        assert min(chosen.recall.values()) >= target
        nearest = index.with_effort(chosen.effort).search(QUESTIONS, 100).numbers
        right = ExactIndex(numbers, vectors).search(QUESTIONS, 100).numbers
        assert np.mean([len(set(a) & set(b)) / 100 for a, b in zip(nearest, right, strict=True)]) > target - 0.1
        efforts.append((chosen.effort.factor, chosen.effort.lists))
    assert efforts == sorted(efforts)
    assert efforts[0] < efforts[-1]


def test_codes_come_back_from_a_file_as_they_were(codes: Codes, tmp_path: Path) -> None:
    codes.save(tmp_path / "index.faiss")
    again = Codes.load(tmp_path / "index.faiss")
    assert (len(again), again.dim, again.lists) == (N, D, LISTS)
    assert again.search(QUESTIONS, 30, 4).tolist() == codes.search(QUESTIONS, 30, 4).tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["index.faiss"]


def test_files_that_are_no_index_are_refused(tmp_path: Path) -> None:
    (tmp_path / "index.faiss").write_bytes(b"no index at all")
    with pytest.raises(CorruptionError, match=r"index\.faiss cannot be read"):
        Codes.load(tmp_path / "index.faiss")
    with pytest.raises(ResourceError, match="cannot be written"):
        Codes.train(QUESTIONS, 1).save(tmp_path / "missing" / "index.faiss")


def test_every_16_bit_number_is_widened_to_itself() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    for shape in ((-1, 16), (8, -1, 4), (-1, 1)):
        np.testing.assert_array_equal(widen(halves.reshape(shape)), halves.reshape(shape).astype(np.float32))
    assert widen(np.empty((0, 5), np.float16)).shape == (0, 5)


@pytest.mark.parametrize("wide", [0, 10**6])
def test_vectors_gathered_in_pieces_are_those_given_at_once(wide: int) -> None:
    numbers, vectors = data()
    pieces = [(numbers[first : first + 300], vectors[first : first + 300]) for first in range(0, N, 300)]
    nearest = ExactIndex.gather(
        iter(pieces), N + 50, D, settings=ExactSettings(wide_vectors=wide)
    )  # fewer come than counted
    assert len(nearest) == N
    same(nearest.search(QUESTIONS, 10), QUESTIONS, set(), 10)
    assert np.isneginf(nearest.search(QUESTIONS[:1], N + 1).scores[0, -1])


@pytest.mark.parametrize(("n", "d"), [(1, 4), (3, 1), (20, 7), (300, 33)])
def test_few_vectors_and_odd_sizes_can_be_coded(n: int, d: int) -> None:
    vectors = np.random.default_rng(n).standard_normal((n, d)).astype(np.float16)
    codes = Codes.train(vectors.astype(np.float32), 1)
    codes.add(vectors.astype(np.float32))
    assert len(codes) == n
    numbers = np.arange(1, n + 1)
    index = IvfIndex(codes, numbers, vectors, Effort(1, 4))
    question = np.ones((1, d), np.float32)
    assert (
        index.search(question, 5).numbers.tolist() == ExactIndex(numbers, vectors).search(question, 5).numbers.tolist()
    )
    assert factory(d, 1) == f"IVF1,PQ{d // 2 if d % 2 == 0 else d}x4fs"
