"""Checkpoints of a training: safetensors and JSON, written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from opendpr.errors import BusyError, StateError
from opendpr.model.saving import saving
from opendpr.storage.atomic import put_in_place, replacing, write_json

logger = logging.getLogger(__name__)

BEST_WEIGHTS = "best.safetensors"


@contextmanager
def only_training(directory: Path) -> Iterator[None]:
    """Holds the lock on a directory of checkpoints until the training ends or is killed.

    Raises:
        BusyError: another process trains there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"another process trains {directory.parent}; wait for it, or give another output directory"
            ) from None
        yield


class Progress(NamedTuple):
    """How far a training has come. Its lists grow with it."""

    step: int
    losses: list[float]
    """The loss of every step done."""
    validations: list[dict[str, float]]
    """`step` and the figures of every validation so far."""
    precision: str = ""
    """What the steps done were computed in, where `auto` was resolved."""
    skipped: int = 0
    """Steps whose batch taught nothing."""


def save_checkpoint(
    directory: Path, network: nn.Module, optimizer: torch.optim.Optimizer, *, progress: Progress, settings: object
) -> None:
    """Replace the checkpoint in `directory`; a kill leaves the old one or the new one.

    Raises:
        ResourceError: the disk is full; the old one is kept.
    """
    target, temporary = directory / f"step-{progress.step}", directory / "writing"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    tensors = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        for key, value in optimizer.state[parameter].items():
            tensors[f"optimizer.{name}.{key}"] = value.contiguous()
    with saving(path := temporary / "state.safetensors"):
        save_file(tensors, path)
    write_json(temporary / "progress.json", {"settings": settings, **progress._asdict()})
    shutil.rmtree(target, ignore_errors=True)
    put_in_place(temporary, target)
    for other in directory.glob("step-*"):
        if other != target:
            shutil.rmtree(other)


def resume_checkpoint(
    directory: Path, network: nn.Module, optimizer: torch.optim.Optimizer, *, settings: Mapping[str, Any]
) -> Progress:
    """Bring network and optimizer to where the newest whole checkpoint left them.

    Returns progress of step 0 if there is none. A torn checkpoint is skipped by name.

    Raises:
        StateError: the checkpoint was made with other settings.
    """
    newest_first = sorted(directory.glob("step-*"), key=lambda path: -int(path.name.removeprefix("step-")))
    for path in newest_first:
        try:
            state = load_file(path / "state.safetensors")
            saved = json.loads((path / "progress.json").read_text(encoding="utf-8"))
        except (SafetensorError, OSError, ValueError) as error:
            logger.warning("skipped the torn checkpoint %s: %s", path, error)
            continue
        differing = [key for key in settings if saved["settings"].get(key) != settings[key]]
        if differing:
            key = differing[0]
            raise StateError(
                f"{path} was made with {key} = {saved['settings'].get(key)!r}, now it is {settings[key]!r}; "
                "use the same settings and data to go on, or another output directory to start again"
            )
        _restore(network, optimizer, state)
        precision, skipped = saved.get("precision", ""), saved.get("skipped", 0)
        return Progress(saved["step"], saved["losses"], saved["validations"], precision, skipped)
    return Progress(0, [], [])


def save_best(directory: Path, network: nn.Module) -> None:
    """Keep the network's weights as the best so far."""
    with replacing(path := directory / BEST_WEIGHTS) as temporary, saving(path):
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, temporary)


def load_best(directory: Path, network: nn.Module) -> None:
    """Bring the best weights back.

    Raises:
        StateError: they are damaged.
    """
    try:
        network.load_state_dict(load_file(directory / BEST_WEIGHTS))
    except (SafetensorError, OSError) as error:
        raise StateError(
            f"{directory / BEST_WEIGHTS} cannot be read ({error}); remove {directory} and train again"
        ) from None


def _restore(network: nn.Module, optimizer: torch.optim.Optimizer, state: Mapping[str, Tensor]) -> None:
    device = next(network.parameters()).device
    network.load_state_dict({name: state[f"network.{name}"] for name in network.state_dict()})
    for name, parameter in network.named_parameters():
        prefix = f"optimizer.{name}."
        values = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        optimizer.state[parameter] = {
            key: value if key == "step" else value.to(device) for key, value in values.items()
        }
