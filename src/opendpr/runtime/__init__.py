"""Networks brought to memory: which runtime, which precision, which device."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from opendpr.errors import OpendprError, UsageError
from opendpr.runtime.batches import Network
from opendpr.runtime.model import EncoderConfig, Model, ReaderConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuntimeSettings:
    """Where and how exactly networks run; not part of a model's fingerprint."""

    runtime: Literal["auto", "openvino", "torch"] = "auto"
    """`auto`: torch on a GPU, openvino on a CPU."""
    precision: Literal["auto", "fp32", "bf16", "int8"] = "auto"
    """`auto`: bf16 where the processor has it and gains by it, else fp32."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the CPU, unless the runtime is torch and a GPU is there."""

    def __post_init__(self) -> None:
        if self.device == "cuda" and self.runtime == "openvino":
            raise UsageError("the openvino runtime is for CPUs; use runtime torch with device cuda")
        if self.precision == "int8" and (self.runtime == "torch" or self.device == "cuda"):
            raise UsageError("int8 needs the openvino runtime on a CPU; use precision bf16 with torch")


def load_network(
    model: Model,
    part: Literal["question", "passage", "reader"],
    settings: RuntimeSettings,
    *,
    throughput: bool,
) -> Network:
    """Bring a part of a model to memory.

    Raises:
        OpendprError: the runtime asked for is not installed, or the device is not there.
    """
    config: EncoderConfig | ReaderConfig = model.require_reader() if part == "reader" else model.require_encoder()
    weights = model.load_weights(part)
    if settings.runtime == "torch" or settings.device == "cuda":
        try:
            import torch

            from opendpr.runtime.torch import TorchNetwork
        except ModuleNotFoundError:
            raise OpendprError("the torch runtime is not installed; pip install 'opendpr[train]'") from None
        available = torch.cuda.is_available()
        if settings.device == "cuda" and not available:
            raise OpendprError("device cuda was asked for, but torch finds no GPU; use device cpu")
        device = "cuda" if available and settings.device != "cpu" else "cpu"
        return TorchNetwork(
            config, weights, precision="bf16" if settings.precision == "bf16" else "fp32", device=device
        )
    from opendpr.runtime.openvino import OpenVinoNetwork, default_precision

    precision = default_precision() if settings.precision == "auto" else settings.precision
    return OpenVinoNetwork(config, weights, precision=precision, throughput=throughput)
