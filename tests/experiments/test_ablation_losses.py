"""The losses of the ablations are those computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from experiments.paper.ablation_losses import distance_likelihood_loss, distance_triplet_loss, triplet_loss
from experiments.paper.ablation_rows import OwnHardNegatives

from opendpr.training.encoder_objective import lay_out
from opendpr.training.sources import ExampleSource
from opendpr.types import ExamplePassage, Question, TrainingExample
from training_runs import random_batch, tensors


def test_the_triplet_loss_is_a_mean_of_hinges_by_hand() -> None:
    questions, passages, positives, excluded = random_batch()
    hinges = [
        max(0.0, 0.5 - questions[i] @ passages[i] + questions[i] @ passages[j])
        for i in range(3)
        for j in range(5)
        if j != i and not excluded[i, j]
    ]
    loss = triplet_loss(**tensors(questions, passages, positives, excluded), scale=1.0, margin=0.5)
    assert loss.item() == pytest.approx(np.mean(hinges))


def test_the_triplet_loss_of_distances_is_a_mean_of_hinges_by_hand() -> None:
    questions, passages, positives, excluded = random_batch()
    far = np.linalg.norm(questions[:, None] - passages, axis=2)
    hinges = [
        max(0.0, 0.5 + far[i, i] - far[i, j]) for i in range(3) for j in range(5) if j != i and not excluded[i, j]
    ]
    loss = distance_triplet_loss(**tensors(questions, passages, positives, excluded), scale=1.0, margin=0.5)
    assert loss.item() == pytest.approx(np.mean(hinges))


def test_the_distance_loss_takes_the_nearer_passage_for_the_better_by_hand() -> None:
    questions, passages, positives, excluded = random_batch()
    expected = 0.0
    for i in range(3):
        scores = {j: -float(np.linalg.norm(questions[i] - passages[j])) for j in range(5) if not excluded[i, j]}
        expected -= scores[i] - np.log(sum(np.exp(score) for score in scores.values()))
    loss = distance_likelihood_loss(**tensors(questions, passages, positives, excluded), scale=1.0)
    assert loss.item() == pytest.approx(expected / 3)


def test_a_hard_negative_that_two_questions_share_is_a_row_of_each() -> None:
    shared, other = ExamplePassage("", "shared"), ExamplePassage("", "other")
    examples = [
        TrainingExample(Question(name, name), (ExamplePassage("", name),), (shared, other)) for name in ("one", "two")
    ]
    source = OwnHardNegatives(ExampleSource([examples], [1.0], 2))
    generator = np.random.default_rng(0)
    passages, positives, excluded = lay_out(source.pairs(source.order(generator), generator))
    own = [{passage.text for passage in passages[first : first + 2]} for first in (2, 4)]
    assert (len(passages), sorted(positives), own) == (6, [0, 1], [{"shared", "other"}] * 2)
    assert not excluded.any()
