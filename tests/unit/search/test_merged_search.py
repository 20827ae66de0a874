"""A set's members are searched so that lists and scores are those of one collection."""

from __future__ import annotations

import random

import numpy as np
import pytest

from opendpr.collection.members import Here
from opendpr.collection.set_manifest import member_of
from opendpr.search.bm25_scores import Bm25Scorer, WordStatistics
from opendpr.search.exact import ExactIndex
from opendpr.search.merged_index import MergedIndex
from opendpr.search.merged_words import MergedWords, WordMember
from opendpr.search.tantivy import TantivyIndex
from opendpr.types import Passage

MEMBERS = 3
WORDS = [f"{start}{number}" for start in ("north", "river", "stone") for number in range(40)]


def make_passages(count, seed=0):
    """Passages of very different lengths, whose words are as unevenly common as in a language."""
    generator = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    texts = [" ".join(generator.choices(WORDS, weights, k=generator.choice((3, 40, 90, 300)))) for _ in range(count)]
    return [Passage(number, f"d{number}", "", text, 0) for number, text in enumerate(texts, start=1)]


class Stored:
    """The passages of a member, as a collection gives them."""

    def __init__(self, passages):
        self._passages = {passage.number: passage for passage in passages}

    def passages(self, numbers):
        return {number: self._passages[number] for number in numbers if number in self._passages}


def index_of(passages):
    index = TantivyIndex()
    index.update([], passages)
    return index


def merged_words(divided):
    return MergedWords([Here(WordMember(Stored(held), index_of(held), np.array([], np.int64))) for held in divided])


@pytest.fixture(scope="module")
def passages():
    return make_passages(300)


@pytest.fixture(scope="module")
def one(passages):
    return index_of(passages)


@pytest.fixture(scope="module")
def merged(passages):
    own = [[p for p in passages if member_of(p.document_id, MEMBERS) == place] for place in range(MEMBERS)]
    return merged_words(own)


def questions(count):
    generator = random.Random(7)
    return [" ".join(generator.choices(WORDS, k=generator.randint(1, 9))) for _ in range(count)]


def test_scores_have_the_bits_of_tantivy(passages, one):
    numbers = np.array([passage.number for passage in passages], np.int64)
    for question in questions(10):
        words = one.question_words(question)
        scorer = Bm25Scorer(words, WordStatistics(*one.totals, one.passages_holding(words)))
        computed = scorer.score(passages)
        assert [computed[number] for number in numbers] == one.score(question, numbers).tolist()


@pytest.mark.parametrize("k", [1, 5, 100, 1_000])
def test_lists_of_words_are_those_of_one_index(one, merged, k):
    for question in questions(15):
        expected, got = one.search(question, k), merged.search(question, k)
        assert got.numbers.tolist() == expected.numbers.tolist()
        assert got.scores.tolist() == expected.scores.tolist()


def test_members_of_very_different_lengths_are_asked_until_there_are_enough():
    long_ones, short_ones = make_passages(250, seed=1), make_passages(250, seed=2)
    long_ones = [Passage(p.number, p.document_id, "", f"{p.text} {p.text} {p.text}", 0) for p in long_ones]
    short_ones = [Passage(p.number + 400, p.document_id, "", p.text[:30], 0) for p in short_ones]
    both = merged_words([long_ones, short_ones])
    one = index_of([*long_ones, *short_ones])
    for question in questions(10):
        assert both.search(question, 50).numbers.tolist() == one.search(question, 50).numbers.tolist()


def test_a_filter_and_unknown_words(one, merged):
    allowed = np.arange(1, 300, 7)
    for question in questions(8):
        assert (
            merged.search(question, 20, allowed).numbers.tolist() == one.search(question, 20, allowed).numbers.tolist()
        )
    assert merged.search("unheard", 3).numbers.tolist() == [[-1, -1, -1]]
    assert merged.score("unheard", allowed).tolist() == [0.0] * len(allowed)


def test_words_are_counted_in_all_members(one, merged):
    for question in questions(5):
        assert merged.count_words(question) == one.count_words(question)


def test_vectors_are_found_and_scored_as_in_one_index():
    generator = np.random.default_rng(0)
    vectors = generator.integers(-2, 3, (300, 4)).astype(np.float16)  # many scores are equal
    numbers = np.arange(1, 301)
    place = generator.integers(0, MEMBERS, 300)
    one = ExactIndex(numbers, vectors)
    merged = MergedIndex([Here(ExactIndex(numbers[place == own], vectors[place == own])) for own in range(MEMBERS)])
    asked = generator.integers(-2, 3, (20, 4)).astype(np.float32)
    assert len(merged) == len(one)
    for allowed in (None, numbers[::3]):
        for k in (1, 10, 400):
            expected, got = one.search(asked, k, allowed), merged.search(asked, k, allowed)
            assert got.numbers.tolist() == expected.numbers.tolist()
            assert got.scores.tolist() == expected.scores.tolist()
    some = np.array([5, 299, 1_000])
    assert merged.score(asked[0], some).tolist() == one.score(asked[0], some).tolist()
