"""The loss of phrase vectors is that computed by hand, and a few steps learn a few phrases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from experiments.paper.systems.phrase_training import MarkedPhrase, PhraseHead, Words, batch_loss, mark, train_head

from opendpr.types import Vectors

OFFSETS = np.array([(0, 4), (5, 9), (10, 16)], np.int32)


def words(seed: int, count: int = 3) -> Words:
    generator = np.random.default_rng(seed)
    first, last = (generator.normal(size=(count, 4)).astype(np.float16) for _ in range(2))
    return Words(first, last, OFFSETS)


def log_share(scores: list[float], place: int) -> float:
    return float(np.exp(scores[place]) / np.exp(scores).sum())


def test_an_answer_is_the_words_that_it_overlaps() -> None:
    assert mark("who ?", 3, OFFSETS, (5, 12)) == MarkedPhrase("who ?", 3, 1, 2)
    assert mark("who ?", 3, OFFSETS, (16, 20)) is None


def test_first_and_last_words_compete_with_those_of_all_passages_of_the_batch() -> None:
    torch.manual_seed(0)
    head, passages = PhraseHead(4), [words(1), words(2), words(3)]
    asked: Vectors = np.random.default_rng(9).normal(size=(2, 4)).astype(np.float32)
    phrases = [MarkedPhrase("a", 0, 0, 1), MarkedPhrase("b", 2, 2, 2)]
    starts, ends = (
        np.concatenate([side for passage in (0, 2) for side in [head.of_words(passages[passage])[kind]]])
        for kind in (0, 1)
    )
    question_starts, question_ends = head.of_questions(asked)
    expected = 0.0
    for row, (first, last) in enumerate([(0, 1), (5, 5)]):  # the words of passage 2 follow the three of passage 0
        starting = [float(question_starts[row] @ start) for start in starts]
        ending = [float(question_ends[row] @ end) for end in ends]
        expected -= (np.log(log_share(starting, first)) + np.log(log_share(ending, last))) / 2
    assert batch_loss(head, passages, asked, phrases).item() == pytest.approx(expected, rel=1e-4)


def test_training_learns_what_it_is_shown() -> None:
    passages = [words(seed) for seed in range(6)]
    asked: Vectors = np.random.default_rng(9).normal(size=(6, 4)).astype(np.float32)
    phrases = [MarkedPhrase("q", place, place % 3, place % 3) for place in range(6)]
    _, losses = train_head(passages, asked, phrases, steps=60)
    assert losses[-1] < losses[0] / 2
