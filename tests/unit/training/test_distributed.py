"""What processes that train together exchange."""

from __future__ import annotations

from pathlib import Path

import torch

from opendpr.training.distributed import buckets
from training_processes import run_together

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
RESUMED = """
import sys, torch
from pathlib import Path
from opendpr.training import distributed
from opendpr.training.loop import train
from opendpr.training.settings import LoopSettings
from training_runs import FourSteps, Killed, Recorder

def backward(network, batch):
    loss = (network(torch.full((1, 1), float(batch + distributed.rank()))) ** 2).sum()
    loss.backward()
    return loss.item()

def run(name, kill_at=None):
    torch.manual_seed(distributed.rank())  # the others' weights are never used
    objective, folder = FourSteps(backward), Path(sys.argv[1]) / f"{name}-{distributed.rank()}"
    settings = LoopSettings(epochs=1, learning_rate=0.1, precision="fp32", checkpoint_seconds=1e-9)
    train(objective, settings, folder, on_step=Recorder(kill_at=kill_at))
    return objective.network.weight.item(), objective.network.bias.item()

distributed.start(torch.device("cpu"))
whole = run("whole")
try:
    run("resumed", kill_at=3)
except Killed:
    pass
resumed = run("resumed")
assert resumed == whole, (resumed, whole)
assert distributed.by_first(lambda: whole) == whole
distributed.stop()
"""
STOPPED = """
import torch, weakref
from opendpr.training import distributed
distributed.start(torch.device("cpu"))
weight = torch.nn.Parameter(torch.ones(2))
weight.grad = distributed.add_up(torch.ones(2))
torch.optim.AdamW([weight]).step()  # it imports parts of torch that would keep the group
group = weakref.ref(torch.distributed.group.WORLD)
distributed.stop()
assert group() is None, "its threads run while Python ends, which aborts the process"
"""
DIFFERENT = """
import torch
from opendpr.errors import StateError
from opendpr.training import distributed
distributed.start(torch.device("cpu"))
distributed.require_same({"seed": 1})
try:
    distributed.require_same({"seed": 1, "data": f"file {distributed.rank()}"})
except StateError as error:
    raise SystemExit(str(error))
"""
REFUSED = """
import torch
from opendpr.errors import StateError
from opendpr.training import distributed
def refuse():
    raise StateError(f"process {distributed.rank()} refuses")
distributed.start(torch.device("cpu"))
try:
    distributed.by_first(refuse)
except StateError as error:
    raise SystemExit(str(error))
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


def test_buckets_keep_the_order_and_a_tensor_larger_than_one_is_alone() -> None:
    tensors = [torch.zeros(size) for size in (2, 3, 9, 1, 4)]
    sizes = [[tensor.numel() for tensor in bucket] for bucket in buckets(tensors, limit_bytes=5 * 4)]
    assert sizes == [[2, 3], [9], [1, 4]]


def test_a_checkpoint_on_the_disk_of_the_first_process_brings_all_to_where_they_were(tmp_path: Path) -> None:
    assert run_together(RESUMED, tmp_path) == [(0, "")] * 2
    assert not list(tmp_path.glob("*-1"))  # the second process writes nothing


def test_nothing_of_the_group_is_left_once_it_was_stopped() -> None:
    assert run_together(STOPPED) == [(0, "")] * 2


def test_processes_that_were_given_different_data_all_say_so() -> None:
    message = "process 1 was given data = 'file 0', process 2 'file 1'; "
    for status, text in run_together(DIFFERENT):
        assert status == 1
        assert text.startswith(message)


def test_what_the_first_process_refuses_all_refuse() -> None:
    assert run_together(REFUSED) == [(1, "process 0 refuses\n")] * 2
