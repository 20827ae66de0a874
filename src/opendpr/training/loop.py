"""The training loop, used by every trained part: AdamW, a linear schedule, checkpoints, resume."""

from __future__ import annotations

import logging
import math
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from opendpr.errors import OpendprError
from opendpr.training.checkpoint import Progress, resume_checkpoint, save_checkpoint
from opendpr.training.settings import LoopSettings

logger = logging.getLogger(__name__)

Batch = TypeVar("Batch")
OnStep = Callable[[int, int, float], None]
"""Called with steps done, steps in all, and the loss."""


class Objective(Protocol[Batch]):
    """What a training minimises."""

    network: nn.Module

    def batches(self, epoch: int) -> Sequence[Batch]:
        """The batches of one pass; the same for the same epoch, whatever happened before."""
        ...

    def loss(self, batch: Batch, dropout: float) -> Tensor:
        """A scalar."""
        ...


def train(
    objective: Objective[Batch],
    settings: LoopSettings,
    directory: Path,
    on_step: OnStep = lambda done, total, loss: None,
    origin: Mapping[str, object] = MappingProxyType({}),
) -> list[float]:
    """Minimise the objective; go on from the checkpoint in `directory` if one is there.

    Args:
        objective: what is minimised
        settings: of the loop
        directory: of the checkpoints
        on_step: told of every step
        origin: what else a checkpoint must agree in to be gone on from, as the data

    Returns:
        The loss of every step.

    Raises:
        OpendprError: a loss is not finite; the last checkpoint is kept.
        KeyboardInterrupt: after SIGINT, when the step is done and a checkpoint is written.
    """
    torch.manual_seed(settings.seed)
    network = objective.network
    device = next(network.parameters()).device
    per_epoch = len(objective.batches(0))
    total = max(1, math.ceil(per_epoch * settings.epochs))
    optimizer = _optimizer(network, settings)
    bf16 = _prefers_bf16(device) if settings.precision == "auto" else settings.precision == "bf16"
    identity = {**asdict(settings), **origin}
    step, losses = resume_checkpoint(directory, network, optimizer, identity)
    if step:
        logger.info("resumed at step %d of %d", step, total)
    with _Interruption() as interrupted:
        saved = time.monotonic()
        while step < total:
            batches = objective.batches(step // per_epoch)
            for batch in batches[step % per_epoch : per_epoch]:
                if step == total:
                    break
                for group in optimizer.param_groups:
                    group["lr"] = settings.learning_rate * _schedule(step, total, settings.warmup_fraction)
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
                    loss = objective.loss(batch, settings.dropout)
                losses.append(loss.item())
                if not math.isfinite(losses[-1]):
                    raise OpendprError(
                        f"the loss of step {step + 1} is {losses[-1]}; lower the learning rate "
                        f"({settings.learning_rate}) and run again, or set precision to fp32"
                    )
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(network.parameters(), settings.max_gradient_norm)
                optimizer.step()
                step += 1
                on_step(step, total, losses[-1])
                due = time.monotonic() - saved > settings.checkpoint_seconds
                if due or interrupted.seen or step == total:
                    save_checkpoint(directory, network, optimizer, Progress(step, losses), identity)
                    saved = time.monotonic()
                if interrupted.seen:
                    raise KeyboardInterrupt
    return losses


def _optimizer(network: nn.Module, settings: LoopSettings) -> torch.optim.AdamW:
    decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    plain = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate)


def _prefers_bf16(device: torch.device) -> bool:
    """Whether a matrix product is faster in bfloat16: true on GPUs, not on every CPU that lists it."""
    if device.type != "cpu":
        return True
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.ones(1024, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
        trials = []
        for _ in range(6):
            started = time.perf_counter()
            a @ b
            trials.append(time.perf_counter() - started)
        seconds[dtype] = min(trials)
    return seconds[torch.bfloat16] < seconds[torch.float32]


def _schedule(step: int, total: int, warmup_fraction: float) -> float:
    """Factor on the learning rate: linear from 0 to 1 in the warm-up, then linear to 0."""
    warmup = warmup_fraction * total
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (total - step) / max(1.0, total - warmup)


class _Interruption:
    """Turns SIGINT into a flag while a block runs; outside the main thread it does nothing."""

    def __init__(self) -> None:
        self.seen = False

    def _see(self, number: int, frame: FrameType | None) -> None:
        self.seen = True

    def __enter__(self) -> _Interruption:
        try:
            self._before = signal.signal(signal.SIGINT, self._see)
        except ValueError:
            self._before = None
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
