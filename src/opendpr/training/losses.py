"""What training minimises: pure functions of vectors (paper section 3.2) and of a reader's logits (section 6.1).

Encoders: questions (Q, d), passages (n, d), `positives` (Q,) with the row of each question's passage, `excluded`
(Q, n), True where a passage must not count as a negative of a question.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def likelihood_loss(
    questions: Tensor, passages: Tensor, positives: Tensor, *, excluded: Tensor, scale: float
) -> Tensor:
    """Mean negative log-likelihood of the positive among all passages of the batch (equation 2)."""
    scores = (scale * questions @ passages.T).masked_fill(excluded, -torch.inf)
    return F.cross_entropy(scores, positives)


def teacher_loss(questions: Tensor, passages: Tensor, candidates: Tensor, *, teacher: Tensor, scale: float) -> Tensor:
    """Mean `choice_loss` of the encoders (Ren et al., 2021, RocketQAv2, section 3.2; Izacard & Grave, 2021).

    Args:
        questions, passages: (Q, d), (n, d)
        candidates: (Q, c), rows of the passages that are a question's own
        teacher: (Q, c), as `choice_loss` takes it
    """
    scores = (scale * questions @ passages.T).gather(1, candidates)
    return choice_loss(scores, teacher).sum() / len(questions)


def choice_loss(logits: Tensor, teacher: Tensor) -> Tensor:
    """KL divergence from a teacher's distribution over the passages of a question to that of a student.

    Both are softmaxes over the same passages (Hinton et al., 2015).

    Args:
        logits: (Q, c), the student's
        teacher: (Q, c), the teacher's; -inf where there is no passage, not in a whole row

    Returns:
        (Q,)
    """
    there = torch.isfinite(teacher)
    student = logits.masked_fill(~there, -torch.inf).log_softmax(1).masked_fill(~there, 0)
    return F.kl_div(student, teacher.softmax(1), reduction="none").sum(1)


def span_loss(start: Tensor, end: Tensor, text_mask: Tensor, *, answers: Tensor, counted: Tensor) -> Tensor:
    """Negative marginal log-likelihood of the answer spans of each passage: (B,).

    Args:
        start, end: (B, L) logits
        text_mask: (B, L), True where a token belongs to the passage's text
        answers: (B, A, 2) positions of first and last token of each place of an answer
        counted: (B, A), True where there is one, at least one in a row
    """
    return -span_likelihoods(start, end, text_mask, answers=answers, counted=counted).logsumexp(1)


def span_likelihoods(start: Tensor, end: Tensor, text_mask: Tensor, *, answers: Tensor, counted: Tensor) -> Tensor:
    """The log-likelihood of each answer span of each passage, of what `span_loss` takes: (B, A), -inf where none is."""
    start = start.masked_fill(~text_mask, -torch.inf).log_softmax(1)
    end = end.masked_fill(~text_mask, -torch.inf).log_softmax(1)
    both = start.gather(1, answers[:, :, 0]) + end.gather(1, answers[:, :, 1])
    return both.masked_fill(~counted, -torch.inf)


def selection_loss(logits: Tensor) -> Tensor:
    """Negative log-likelihood of the first of the passages of each question: (Q, 1 + m) -> (Q,); -inf is none."""
    return -logits.log_softmax(1)[:, 0]


def alone_loss(logits: Tensor) -> Tensor:
    """Mean cross-entropy of each passage judged by itself: the first of (Q, 1 + m) answers, the others do not.

    Selection alone leaves the logits of a question free by a number; this ties them to 0, so that
    they can be compared between questions. A logit of -inf is no passage. -> (Q,)
    """
    there = torch.isfinite(logits)
    wanted = torch.zeros_like(logits)
    wanted[:, 0] = 1
    losses = F.binary_cross_entropy_with_logits(logits.masked_fill(~there, 0), wanted, reduction="none")
    return (losses * there).sum(1) / there.sum(1)
