"""Several processes, one training: started by torchrun, each encodes its share of every batch.

Every process knows the vectors of the whole batch and computes the same loss; each sends the part
of its gradient that belongs to its own sequences back through its network, and the gradients of
the weights are added up. So n processes do exactly what one would do with the whole batch.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from importlib import import_module
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from opendpr.errors import OpendprError, StateError, UsageError

Value = TypeVar("Value")

EXCHANGE_TIMEOUT_SECONDS = 1_800.0
"""How long a process waits for the others: longer than a validation by the first of them takes."""
BUCKET_BYTES = 25 * 2**20
"""Gradients that are exchanged at once: enough that a network's latency does not count."""


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
        # Its functions have as a default the group that is there when it is imported, and an optimizer imports it: the
        # group and its threads would outlive `stop`, and abort the process as Python ends.
        import_module("torch.distributed.nn.functional")
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

    They are exchanged in buckets: a message for each parameter would cost its latency each time, one for all a copy
    of all.
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
    for bucket in buckets([parameter.grad for parameter in trained if parameter.grad is not None]):
        if len(bucket) == 1:
            dist.all_reduce(bucket[0])
            continue
        flat = torch.cat([gradient.flatten() for gradient in bucket])
        dist.all_reduce(flat)
        first = 0
        for gradient in bucket:
            gradient.copy_(flat[first : first + gradient.numel()].view_as(gradient))
            first += gradient.numel()


def buckets(tensors: Iterable[Tensor], limit_bytes: int = BUCKET_BYTES) -> Iterator[list[Tensor]]:
    """Tensors in their order, as many together as stay within the limit; one that is larger is alone."""
    bucket: list[Tensor] = []
    for tensor in tensors:
        if bucket and sum(held.nbytes for held in bucket) + tensor.nbytes > limit_bytes:
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket


def by_first(make: Callable[[], Value]) -> Value:
    """What the first process makes, in all of them; where it fails, all raise its error.

    Raises:
        OpendprError: as `make` raises it.
    """
    if not dist.is_initialized():
        return make()
    shared: list[Value | OpendprError | None] = [None]
    if rank() == 0:
        try:
            shared[0] = make()
        except OpendprError as error:
            shared[0] = error
    dist.broadcast_object_list(shared)
    if isinstance(shared[0], OpendprError):
        raise shared[0]
    return cast(Value, shared[0])


def require_same(given: Mapping[str, object]) -> None:
    """Refuse to train where processes were given different things.

    Raises:
        StateError: they were; raised in all of them.
    """
    if not dist.is_initialized():
        return
    all_given: list[Mapping[str, object]] = [{}] * world()
    dist.all_gather_object(all_given, given)
    first, *others = all_given
    for number, other in enumerate(others, 2):
        for key, value in first.items():
            if other[key] != value:
                raise StateError(
                    f"process 1 was given {key} = {value!r}, process {number} {other[key]!r}; "
                    "give all of them the same settings, data and base"
                )


def share_state(network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Give all processes the first one's weights and state of the optimizer, whatever they had."""
    if not dist.is_initialized():
        return
    for weights in network.state_dict().values():
        dist.broadcast(weights, 0)
    parameters = list(network.parameters())
    empty = by_first(lambda: [_empty(optimizer.state[parameter]) for parameter in parameters])
    for parameter, state in zip(parameters, empty, strict=True):
        own = optimizer.state[parameter] if rank() == 0 else state
        optimizer.state[parameter] = {key: _sent(own[key], parameter.device, key) for key in state}


def _empty(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of the shapes of others, to be sent ahead of their values."""
    return {key: torch.zeros((), dtype=value.dtype).expand(value.shape) for key, value in state.items()}


def _sent(value: Tensor, device: torch.device, key: str) -> Tensor:
    """The first process's tensor of an optimizer's state, where the optimizer keeps it: its step stays on the CPU."""
    shared = value.to(device).contiguous()
    dist.broadcast(shared, 0)
    return shared.cpu() if key == "step" else shared


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
