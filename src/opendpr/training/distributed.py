"""Several processes, one training: started by torchrun, each encodes its share of every batch.

Every process knows the vectors of the whole batch and computes the same loss; each sends the part
of its gradient that belongs to its own sequences back through its network, and the gradients of
the weights are added up. So n processes do exactly what one would do with the whole batch.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from opendpr.errors import UsageError

EXCHANGE_TIMEOUT_SECONDS = 1_800.0
"""How long a process waits for the others: longer than a validation by the first of them takes."""


def start(device: torch.device, timeout_seconds: float = EXCHANGE_TIMEOUT_SECONDS) -> torch.device:
    """Join the other processes, if torchrun started several; returns the device of this one.

    Args:
        device: what the training runs on
        timeout_seconds: how long to wait for another process before giving it up

    Raises:
        UsageError: there are more processes than GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    if device.type == "cuda" and int(os.environ["LOCAL_RANK"]) >= (gpus := torch.cuda.device_count()):
        raise UsageError(
            f"process {int(os.environ['LOCAL_RANK']) + 1} here has no GPU, torch finds {gpus}; start as many "
            "processes as GPUs, or take device cpu"
        )
    if not dist.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout_seconds))
        atexit.register(stop)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    return device


def stop() -> None:
    """Leave the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def add_up(tensor: Tensor) -> Tensor:
    """The sum of a tensor over all processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(tensor)
    return tensor


def gathered(own: Tensor, rows: Sequence[Sequence[int]]) -> Tensor:
    """The rows of all processes in one matrix (n, d); each sends its own and no more.

    Args:
        own: (k, d), the rows that this process has
        rows: for each process the places of its rows in the whole, in the order of its `own`
    """
    whole = own.new_empty(sum(map(len, rows)), own.shape[1])
    if not dist.is_initialized():
        whole[list(rows[0])] = own
        return whole
    padded = own.new_zeros(max(map(len, rows)), own.shape[1])
    padded[: len(own)] = own
    parts = [torch.empty_like(padded) for _ in rows]
    dist.all_gather(parts, padded)
    for places, part in zip(rows, parts, strict=True):
        whole[list(places)] = part[: len(places)]
    return whole


def add_up_gradients(network: nn.Module) -> None:
    """Make all gradients dense (those of words come as rows) and add up those of all processes; none counts as 0.

    They are exchanged as one tensor: a message for each parameter would cost its latency each time.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = parameter.grad.to_dense()
    if not dist.is_initialized():
        return
    for parameter in trained:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in trained if parameter.grad is not None]
    bucket = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(bucket)
    for gradient, total in zip(gradients, torch.split(bucket, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(total.view_as(gradient))


def agreed(value: float, device: torch.device) -> float:
    """The first process's value, in all of them."""
    if not dist.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64, device=device)
    dist.broadcast(shared, 0)
    return shared.item()


def any_of(flag: bool, device: torch.device) -> bool:
    """Whether the flag is set in any process."""
    return bool(add_up(torch.tensor([float(flag)], device=device)).item()) if dist.is_initialized() else flag
