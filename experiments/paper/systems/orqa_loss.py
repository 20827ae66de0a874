"""ORQA's loss of a question (Lee et al. 2019, section 5): pure functions.

A question's best c passages are retrieved, the best k of them read. With S_retr(b) the retrieval score of passage b
and S_read(b, s) the reader's score of its span s,

    P(b, s) = exp(S_retr(b) + S_read(b, s)) / the sum of that over all spans of the k passages read
    loss    = -log of the sum of P(b, s) over the spans that are an answer
              -log of the sum over the passages that hold one of exp(S_retr(b)) / its sum over the c passages

The second part, the early update, trains the retriever before the reader finds anything.
"""

from __future__ import annotations

import torch
from torch import Tensor


def span_scores(start: Tensor, end: Tensor, text_mask: Tensor, max_tokens: int) -> Tensor:
    """(k, L, L): start logit of a row's token plus end logit of a column's, -inf where that is no span.

    Args:
        start, end: (k, L) logits
        text_mask: (k, L), True where a token belongs to the passage's text
        max_tokens: longest span
    """
    places = torch.arange(start.shape[1], device=start.device)
    width = places[None, :] - places[:, None]
    allowed = (width >= 0) & (width < max_tokens) & text_mask[:, :, None] & text_mask[:, None, :]
    return (start[:, :, None] + end[:, None, :]).masked_fill(~allowed, -torch.inf)


def joint_loss(retrieved: Tensor, holding: Tensor, spans: Tensor, right: Tensor) -> Tensor | None:
    """The loss of a question; None if no passage holds an answer, and without the reader's part if none read has it.

    Args:
        retrieved: (c,) scores, best first; the first k passages are read
        holding: (c,), True where a passage holds an answer
        spans: (k, L, L) scores, -inf where there is no span
        right: (k, L, L), True where a span is an answer
    """
    if not holding.any():
        return None
    loss = retrieved.logsumexp(0) - retrieved[holding].logsumexp(0)
    possible = right & torch.isfinite(spans)
    if possible.any():
        both = retrieved[: len(spans), None, None] + spans
        loss = loss + both.flatten().logsumexp(0) - both[possible].logsumexp(0)
    return loss
