"""Hard EM's losses are those computed by hand."""

from __future__ import annotations

import math

import pytest
import torch
from experiments.paper.systems.hard_em import HARD_AT_MOST, HardEmLoss, first_place_loss

from opendpr.training.losses import span_loss
from opendpr.training.reader_objective import SpanLoss

START = torch.tensor([[9.0, 1.0, 0.0, 2.0], [9.0, 0.0, 3.0, 1.0]])  # the first token of each is the question's
END = torch.tensor([[9.0, 0.5, 0.0, 1.0], [9.0, 1.0, 0.0, 2.0]])
TEXT = torch.tensor([[False, True, True, True], [False, True, True, True]])
ANSWERS = torch.tensor([[[1, 1], [3, 3]], [[2, 3], [0, 0]]])  # two places in the first passage, one in the second
COUNTED = torch.tensor([[True, True], [True, False]])
ROWS = 2_000


def likelihood(row: int, first: int, last: int) -> float:
    """Of a span: its start among the text's tokens, times its end."""
    total_start = sum(math.exp(START[row, place].item()) for place in (1, 2, 3))
    total_end = sum(math.exp(END[row, place].item()) for place in (1, 2, 3))
    return math.exp(START[row, first].item() + END[row, last].item()) / (total_start * total_end)


def of(loss: SpanLoss, times: int = 1) -> torch.Tensor:
    start, end, mask, answers, counted = (
        part.repeat_interleave(times, 0) for part in (START, END, TEXT, ANSWERS, COUNTED)
    )
    return loss(start, end, mask, answers=answers, counted=counted)


def test_the_first_place_alone_is_learned_from() -> None:
    assert of(first_place_loss).tolist() == pytest.approx(
        [-math.log(likelihood(0, 1, 1)), -math.log(likelihood(1, 2, 3))]
    )


def test_at_first_hard_em_is_the_marginal_likelihood() -> None:
    assert of(HardEmLoss(10**9)).tolist() == of(span_loss).tolist()


def test_later_the_likeliest_place_counts_alone_but_not_always() -> None:
    loss = HardEmLoss(1)
    of(loss)  # two passages are seen, so the probability is at its height
    first, second = of(loss, ROWS).view(2, ROWS)
    hard = torch.isclose(first, torch.tensor(-math.log(likelihood(0, 3, 3))))
    marginal = torch.isclose(first, torch.tensor(-math.log(likelihood(0, 1, 1) + likelihood(0, 3, 3))))
    assert (hard | marginal).all()
    assert hard.float().mean().item() == pytest.approx(HARD_AT_MOST, abs=0.05)
    assert second.tolist() == pytest.approx([-math.log(likelihood(1, 2, 3))] * ROWS)  # a single place is the likeliest


def test_the_probability_rises_with_the_passages_that_were_seen() -> None:
    loss, hard = HardEmLoss(4 * ROWS), []
    for _ in range(4):
        first = of(loss, ROWS // 2)[: ROWS // 2]
        hard.append(torch.isclose(first, torch.tensor(-math.log(likelihood(0, 3, 3)))).float().mean().item())
    assert hard == pytest.approx([0, 0.25, 0.5, 0.75], abs=0.06)


def test_places_that_are_none_spoil_no_gradient() -> None:
    start, end = START.clone().requires_grad_(), END.clone().requires_grad_()
    loss = HardEmLoss(1)
    for _ in range(2):
        loss(start, end, TEXT, answers=ANSWERS, counted=COUNTED).sum().backward()  # type: ignore[no-untyped-call]
    for logits in (start, end):
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()
        assert (logits.grad[:, 1:] != 0).any()
