"""The losses that `ablation_rows.py` compares with the likelihood loss of `training/losses.py`: pure functions.

Questions (Q, d), passages (n, d), `positives` (Q,) with the row of each question's passage, `excluded` (Q, n), True
where a passage must not count as a negative of a question.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from opendpr.training.losses import likelihood_loss

TRIPLET_MARGIN = 0.2
"""The paper's 1 is for inner products without bound; cosines differ by 2 at most."""
DISTANCE_MARGIN = 1.0
"""The paper's, for distances, which have no bound."""


def within_groups(
    questions: Tensor, passages: Tensor, positives: Tensor, *, excluded: Tensor, scale: float, size: int
) -> Tensor:
    """The likelihood loss where negatives of a question are the positives of its group of the batch alone."""
    groups = torch.arange(len(questions), device=questions.device) // size
    same = (groups[:, None] == groups).float()  # (Q, Q)
    shared = same @ F.one_hot(positives, len(passages)).float() > 0  # (Q, n)
    return likelihood_loss(questions, passages, positives, excluded=excluded | ~shared, scale=scale)


def own_negatives(
    questions: Tensor, passages: Tensor, positives: Tensor, *, excluded: Tensor, scale: float, count: int
) -> Tensor:
    """The likelihood loss where a question has `count` negatives of its own, and no others.

    They are the last rows of the passages, in the order of the questions, as `OwnNegatives` makes them.
    """
    first = len(passages) - count * len(questions)
    rows = torch.arange(first, len(passages), device=questions.device).view(len(questions), count)
    kept = torch.zeros_like(excluded).scatter(1, rows, True).scatter(1, positives[:, None], True)
    return likelihood_loss(questions, passages, positives, excluded=~kept, scale=scale)


def triplet_loss(
    questions: Tensor,
    passages: Tensor,
    positives: Tensor,
    *,
    excluded: Tensor,
    scale: float,
    margin: float = TRIPLET_MARGIN,
) -> Tensor:
    """Mean of max(0, margin - positive's + negative's score) over all negatives of the batch (section 5.2).

    It has no scale: what is given for one is not used.
    """
    return _mean_hinge(questions @ passages.T, positives, excluded, margin)


def distance_likelihood_loss(
    questions: Tensor, passages: Tensor, positives: Tensor, *, excluded: Tensor, scale: float
) -> Tensor:
    """The likelihood loss with negative Euclidean distance as similarity (section 5.2)."""
    scores = (-scale * torch.cdist(questions, passages)).masked_fill(excluded, -torch.inf)
    return F.cross_entropy(scores, positives)


def distance_triplet_loss(
    questions: Tensor,
    passages: Tensor,
    positives: Tensor,
    *,
    excluded: Tensor,
    scale: float,
    margin: float = DISTANCE_MARGIN,
) -> Tensor:
    """The triplet loss with negative Euclidean distance as score (section 5.2); it has no scale either."""
    return _mean_hinge(-torch.cdist(questions, passages), positives, excluded, margin)


def _mean_hinge(scores: Tensor, positives: Tensor, excluded: Tensor, margin: float) -> Tensor:
    """Mean of max(0, margin - positive's + negative's score) of scores (Q, n) over all negatives."""
    positive = scores.gather(1, positives[:, None])
    others = ~excluded.scatter(1, positives[:, None], True)
    return (margin - positive + scores).clamp(min=0)[others].mean()
