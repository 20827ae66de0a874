"""Several processes, one training: started by torchrun, each encodes its share of every batch.

Every process knows the vectors of the whole batch and computes the same loss; each sends the part
of its gradient that belongs to its own sequences back through its network, and the gradients of
the weights are added up. So n processes do exactly what one would do with the whole batch.
"""

from __future__ import annotations

import atexit
import os

import torch
import torch.distributed as dist
from torch import Tensor, nn

from opendpr.errors import UsageError


def start(device: torch.device) -> torch.device:
    """Join the other processes, if torchrun started several; returns the device of this one.

    Raises:
        UsageError: there are more processes than GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    if device.type == "cuda" and int(os.environ["LOCAL_RANK"]) >= (found := torch.cuda.device_count()):
        raise UsageError(
            f"process {int(os.environ['LOCAL_RANK']) + 1} here has no GPU, torch finds {found}; start as many "
            "processes as GPUs, or take device cpu"
        )
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
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


def add_up_gradients(network: nn.Module) -> None:
    """Make all gradients dense (those of words come as rows) and add up those of all processes; none counts as 0."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = parameter.grad.to_dense()
    if dist.is_initialized():
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            dist.all_reduce(parameter.grad)


def agreed(value: float, device: torch.device) -> float:
    """What the first process says, in all of them."""
    if not dist.is_initialized():
        return value
    told = torch.tensor([value], dtype=torch.float64, device=device)
    dist.broadcast(told, 0)
    return told.item()


def any_of(flag: bool, device: torch.device) -> bool:
    """Whether the flag is up in any process."""
    return bool(add_up(torch.tensor([float(flag)], device=device)).item()) if dist.is_initialized() else flag
