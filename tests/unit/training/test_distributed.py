"""What processes that train together exchange."""

from __future__ import annotations

from processes import run_together

GATHER = """
import torch
from opendpr.training import distributed
distributed.start(torch.device("cpu"))
rows = [[4, 0], [1], [2, 3, 5]]
whole = torch.arange(12.0).view(6, 2)
assert torch.equal(distributed.gathered(whole[rows[distributed.rank()]], rows), whole)
distributed.stop()
"""
ADD_UP = """
import torch
from opendpr.training import distributed
distributed.start(torch.device("cpu"))
network = torch.nn.Sequential(torch.nn.Embedding(5, 3, sparse=True), torch.nn.Linear(3, 2), torch.nn.Linear(2, 2))
network[2].requires_grad_(False)
ids = torch.tensor([distributed.rank(), 3])
if distributed.rank():  # the first has no gradient at all
    network[1](network[0](ids)).sum().backward()
distributed.add_up_gradients(network)
words, linear, frozen = network[0].weight.grad, network[1].bias.grad, network[2].weight.grad
assert not words.is_sparse
assert words[1].abs().sum() > 0 and words[2].abs().sum() == 0
assert torch.equal(linear, torch.full((2,), 2.0)), linear
assert frozen is None
distributed.stop()
"""
ABSENT = """
import time, torch
from opendpr.training import distributed
distributed.start(torch.device("cpu"), timeout_seconds=2)
if distributed.rank() == 0:
    try:
        distributed.add_up(torch.ones(1))
    except RuntimeError:
        raise SystemExit(3)
else:
    time.sleep(5)  # alive, but in no exchange
"""


def test_each_process_sends_its_own_rows_and_gets_all() -> None:
    assert run_together(GATHER, count=3) == [(0, "")] * 3


def test_gradients_are_added_up_where_a_process_has_none_and_frozen_weights_are_left_out() -> None:
    assert run_together(ADD_UP) == [(0, "")] * 2


def test_a_process_does_not_wait_for_another_for_ever() -> None:
    assert run_together(ABSENT)[0][0] == 3
