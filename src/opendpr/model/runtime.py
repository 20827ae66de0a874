"""Loading networks: which runtime, which precision, which device."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from opendpr.choices import DeviceName, PrecisionName, RuntimeName
from opendpr.errors import OpendprError, UsageError
from opendpr.model.batches import Batch, Network
from opendpr.model.directory import Model, Part
from opendpr.model.precision import default_precision, weight_form

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuntimeSettings:
    """Where and how exactly networks run; not part of a model's fingerprint."""

    runtime: RuntimeName = "auto"
    precision: PrecisionName = "auto"
    device: DeviceName = "auto"

    def __post_init__(self) -> None:
        for name, choices in (("runtime", RuntimeName), ("precision", PrecisionName), ("device", DeviceName)):
            if getattr(self, name) not in get_args(choices):
                raise UsageError(f"{name} must be one of {', '.join(get_args(choices))}, got {getattr(self, name)!r}")
        if self.device == "cuda" and self.runtime == "openvino":
            raise UsageError("the openvino runtime is for CPUs; use runtime torch with device cuda")
        if self.precision == "int8" and (self.runtime == "torch" or self.device == "cuda"):
            raise UsageError("int8 needs the openvino runtime on a CPU; use precision bf16 with torch")

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision} on {self.device}"


def resolved(settings: RuntimeSettings) -> RuntimeSettings:
    """The settings with every `auto` replaced by what it means here.

    Raises:
        OpendprError: the runtime asked for is not installed, or the device is not there.
    """
    if settings.runtime == "torch" or settings.device == "cuda":
        try:
            from opendpr.model.torch import choose_device
        except ModuleNotFoundError:
            raise OpendprError("the torch runtime is not installed; pip install 'opendpr[train]'") from None
        device = choose_device(settings.device)
        return RuntimeSettings("torch", "fp32" if settings.precision == "auto" else settings.precision, device)
    from opendpr.model.openvino import takes_bf16

    chosen = default_precision(takes_bf16=takes_bf16()) if settings.precision == "auto" else settings.precision
    return RuntimeSettings("openvino", chosen, "cpu")


def described(settings: RuntimeSettings) -> str:
    """Runtime, precision and device in words; two that are the same compute the same."""
    chosen = resolved(settings)
    if chosen.precision != "int8":
        return str(chosen)
    from opendpr.model.openvino import takes_bf16

    form = weight_form("int8", takes_bf16=takes_bf16())
    return f"{chosen}, rounded weights in bf16" if form == "rounded" else str(chosen)


class CheckedNetwork:
    """A network that refuses to give what is no number, which a search would take for "nothing is near".

    Args:
        name: of what the network is, for the error
    """

    def __init__(self, network: Network, name: str) -> None:
        self._network, self._name = network, name

    @property
    def parallel(self) -> int:
        return self._network.parallel

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """Raises OpendprError if a result holds nan or infinity."""
        results = self._network(batches)
        for result in results:
            if not (result < np.inf).all():
                raise OpendprError(
                    f"{self._name} gives {result[~(result < np.inf)][0]}, expected numbers; its weights are damaged, "
                    "or too large for the precision: restore the model, or try --precision fp32"
                )
        return results


def load_network(
    model: Model,
    part: Part,
    settings: RuntimeSettings,
    *,
    throughput: bool,
) -> Network:
    """Load the network of a part of a model; an encoder's only if its files are those of the model's fingerprint.

    Raises:
        OpendprError: the runtime asked for is not installed, or the device is not there.
        CorruptionError: the encoder's files were changed.
    """
    encodes = part in ("question", "passage")
    if encodes:
        model.verify_encoder()
    name = f"the {'encoder' if encodes and model.require_encoder().tied else part} network of {model.name}"
    return CheckedNetwork(_load(model, part, settings, throughput=throughput), name)


def _load(model: Model, part: Part, settings: RuntimeSettings, *, throughput: bool) -> Network:
    config = model.config_of(part)
    chosen = resolved(settings)
    if chosen.runtime == "torch":
        from opendpr.model.torch import TorchNetwork

        weights = model.load_weights(part)
        return TorchNetwork(config, weights, bf16=chosen.precision == "bf16", device=chosen.device)
    from opendpr.model import openvino

    assert chosen.precision != "auto"
    return openvino.load_network(
        config,
        partial(model.load_weights, part),
        model.weights_path(part) if model.is_installed else None,
        precision=chosen.precision,
        throughput=throughput,
    )


def in_background(load: Callable[[], Network]) -> Future[Network]:
    """A network as a thread of its own loads it, which ends with it."""
    executor = ThreadPoolExecutor(max_workers=1)
    loading = executor.submit(load)
    executor.shutdown(wait=False)
    return loading
