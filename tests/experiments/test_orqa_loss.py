"""ORQA's joint loss is that computed by hand."""

from __future__ import annotations

import math

import pytest
import torch
from experiments.paper.systems.orqa_loss import joint_loss, span_scores

RETRIEVED = torch.tensor([2.0, 1.0, 0.5])  # three passages, of which two are read
START = torch.tensor([[9.0, 1.0, 0.0], [9.0, 2.0, 0.5]])  # the first token of each is the question's
END = torch.tensor([[9.0, 0.5, 0.0], [9.0, 1.0, 1.5]])
TEXT = torch.tensor([[False, True, True], [False, True, True]])


def spans() -> torch.Tensor:
    return span_scores(START, END, TEXT, 10)


def right(*places: tuple[int, int, int]) -> torch.Tensor:
    mask = torch.zeros(2, 3, 3, dtype=torch.bool)
    for place in places:
        mask[place] = True
    return mask


def test_spans_are_of_the_text_do_not_end_before_they_begin_and_are_not_too_long() -> None:
    scores = spans()
    assert scores[0, 1, 2] == 1.0
    assert scores[1, 2, 2] == 2.0
    assert int(torch.isfinite(scores).sum()) == 6  # three of each passage
    assert int(torch.isfinite(span_scores(START, END, TEXT, 1)).sum()) == 4


def test_both_parts_are_summed_over_all_that_is_right() -> None:
    holding = torch.tensor([False, True, True])
    loss = joint_loss(RETRIEVED, holding, spans(), right((1, 1, 1), (1, 1, 2)))
    scores = {
        (b, i, j): math.exp(RETRIEVED[b].item() + START[b, i].item() + END[b, j].item())
        for b, i, j in [(0, 1, 1), (0, 1, 2), (0, 2, 2), (1, 1, 1), (1, 1, 2), (1, 2, 2)]
    }
    full = -math.log((scores[1, 1, 1] + scores[1, 1, 2]) / sum(scores.values()))
    early = -math.log((math.exp(1.0) + math.exp(0.5)) / (math.exp(2.0) + math.exp(1.0) + math.exp(0.5)))
    assert loss is not None
    assert loss.item() == pytest.approx(full + early)


def test_where_no_passage_read_has_the_answer_the_retriever_learns_alone() -> None:
    loss = joint_loss(RETRIEVED, torch.tensor([False, False, True]), spans(), right())
    assert loss is not None
    assert loss.item() == pytest.approx(-math.log(math.exp(0.5) / (math.exp(2.0) + math.exp(1.0) + math.exp(0.5))))


def test_a_question_without_any_answer_teaches_nothing() -> None:
    assert joint_loss(RETRIEVED, torch.zeros(3, dtype=torch.bool), spans(), right()) is None


def test_a_right_place_that_is_no_span_does_not_count() -> None:
    holding = torch.tensor([True, False, False])
    with_question, without = (joint_loss(RETRIEVED, holding, spans(), right(*p)) for p in [[(0, 0, 0)], []])
    assert with_question is not None and without is not None
    assert with_question.item() == without.item()
