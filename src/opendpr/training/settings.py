"""What every training shares: the settings of the loop, with the paper's values where it gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opendpr.errors import UsageError


@dataclass(frozen=True)
class LoopSettings:
    """Settings of `training.loop`. Paper section 5: Adam, linear schedule with warm-up, dropout 0.1."""

    epochs: float = 2.0
    """Passes over the examples; a fraction stops inside a pass."""
    batch_size: int = 32
    """Questions in a step."""
    learning_rate: float = 1e-4
    """Peak of the schedule. The paper's 1e-5 is for BERT-base; a network a fifth its size wants more."""
    warmup_fraction: float = 0.06
    """Part of all steps in which the rate climbs from 0."""
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    dropout: float = 0.1
    seed: int = 0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Of the matrix products; weights stay fp32. `auto` takes what a short trial finds faster here."""
    checkpoint_seconds: float = 300.0
    """Time between checkpoints."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate", "max_gradient_norm", "checkpoint_seconds"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be larger than 0, got {getattr(self, name)}")
        if self.precision not in ("auto", "fp32", "bf16"):
            raise UsageError(f"precision must be auto, fp32 or bf16, got {self.precision!r}")
        for name in ("warmup_fraction", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} must lie in [0, 1), got {getattr(self, name)}")
