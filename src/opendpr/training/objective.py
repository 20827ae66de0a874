"""What a training minimises, as the loop sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import nn

from opendpr.iteration import OnProgress

Batch = TypeVar("Batch")
Figures = Mapping[str, float]


class Start(NamedTuple):
    """What an objective needs to know of the training that begins."""

    device: torch.device
    checkpoints: Path
    """Folder of what an interrupted training goes on from."""
    save_seconds: float
    """Time between two states of what is prepared there."""
    on_scored: OnProgress
    """Called with how many passages a teacher has scored, and of how many."""


class Step(NamedTuple):
    """What an objective needs to know of a step."""

    seed: int
    """Decides everything random in it, so that a step is the same after a resume."""
    dropout: float
    bf16: bool
    chunk_tokens: int = 0
    """Tokens computed at once; 0 for what suits the device."""

    def autocast(self, device: torch.device) -> AbstractContextManager[object]:
        """The context in which a network's forward pass runs."""
        return torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.bf16)


class Objective(Protocol[Batch]):
    """What a training minimises."""

    @property
    def network(self) -> nn.Module:
        """Whose weights are trained."""
        ...

    def batches(self, epoch: int) -> Sequence[Batch]:
        """The batches of one pass; the same for the same epoch, whatever happened before."""
        ...

    def backward(self, batch: Batch, step: Step) -> float | None:
        """Add the loss's gradient to the parameters' `grad`; returns the loss. None: the batch teaches nothing."""
        ...

    def record(self) -> Mapping[str, object]:
        """What the record of a training says of the examples."""
        ...

    def validate(self) -> Figures | None:
        """How good the network is; the first figure decides, larger is better. None: nothing to judge it by."""
        ...
