"""What training an encoder minimises: pure functions of vectors (paper section 3.2).

Shapes: questions (Q, d), passages (n, d), `positives` (Q,) with the row of each question's passage,
`excluded` (Q, n), True where a passage must not count as a negative of a question.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def likelihood_loss(
    questions: Tensor, passages: Tensor, positives: Tensor, excluded: Tensor, scale: float = 1.0
) -> Tensor:
    """Mean negative log-likelihood of the positive among all passages of the batch (equation 2)."""
    scores = (scale * questions @ passages.T).masked_fill(excluded, -torch.inf)
    return F.cross_entropy(scores, positives)


def triplet_loss(
    questions: Tensor, passages: Tensor, positives: Tensor, excluded: Tensor, margin: float = 1.0
) -> Tensor:
    """Mean of max(0, margin - positive's + negative's score) over all negatives of the batch (section 5.2)."""
    return _hinge(questions @ passages.T, positives, excluded, margin)


def distance_likelihood_loss(
    questions: Tensor, passages: Tensor, positives: Tensor, excluded: Tensor, scale: float = 1.0
) -> Tensor:
    """The likelihood loss with negative Euclidean distance as similarity (section 5.2)."""
    scores = (-scale * torch.cdist(questions, passages)).masked_fill(excluded, -torch.inf)
    return F.cross_entropy(scores, positives)


def _hinge(scores: Tensor, positives: Tensor, excluded: Tensor, margin: float) -> Tensor:
    positive = scores.gather(1, positives[:, None])
    others = ~excluded.scatter(1, positives[:, None], True)
    return (margin - positive + scores).clamp(min=0)[others].mean()
