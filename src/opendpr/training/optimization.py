"""What changes weights: the optimizer, its learning rate over time, its precision, and averaging with a start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from opendpr.model.processor import gains_by_bf16, this_cpu_info
from opendpr.training import distributed
from opendpr.training.settings import LoopSettings


def make_optimizer(network: nn.Module, settings: LoopSettings) -> torch.optim.AdamW:
    """AdamW; matrices decay, biases and norms do not."""
    decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    plain = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    on_cpu = next(network.parameters()).device.type == "cpu"
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=on_cpu)  # a sixth of the time there


def faster_precision(device: torch.device) -> Literal["fp32", "bf16"]:
    """bf16 on GPUs, and on a CPU that gains by it; the first process's choice in all of them."""
    gains = device.type != "cpu" or gains_by_bf16(this_cpu_info())
    return "bf16" if distributed.agreed(float(gains), device) else "fp32"


def schedule(step: int, total: int, warmup_fraction: float) -> float:
    """Factor on the learning rate: linear from 0 to 1 in the warm-up, then linear to 0."""
    warmup = warmup_fraction * total
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (total - step) / max(1.0, total - warmup)


def average_with(network: nn.Module, start: Mapping[str, Tensor], share: float) -> None:
    """Replace the weights by their mean with the starting ones (model soups, Wortsman et al. 2022)."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            value.lerp_(start[name], share)
