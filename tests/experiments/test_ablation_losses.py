"""The losses of the ablations are those computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from experiments.paper.ablation_losses import distance_likelihood_loss, triplet_loss

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


def test_the_distance_loss_takes_the_nearer_passage_for_the_better_by_hand() -> None:
    questions, passages, positives, excluded = random_batch()
    expected = 0.0
    for i in range(3):
        scores = {j: -float(np.linalg.norm(questions[i] - passages[j])) for j in range(5) if not excluded[i, j]}
        expected -= scores[i] - np.log(sum(np.exp(score) for score in scores.values()))
    loss = distance_likelihood_loss(**tensors(questions, passages, positives, excluded), scale=1.0)
    assert loss.item() == pytest.approx(expected / 3)
