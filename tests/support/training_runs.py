"""What tests of a training share: a run that is left at a step, an objective of one weight, a batch for losses."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from opendpr.iteration import OnProgress
from opendpr.training.objective import Start, Step

CPU = torch.device("cpu")


class Killed(BaseException):
    """Stands for a process that is gone."""


class Recorder:
    """An `on_step` that keeps losses, and leaves at a step if asked to."""

    def __init__(self, kill_at: int | None = None, interrupt_at: int | None = None) -> None:
        self.losses: list[float] = []
        self.kill_at, self.interrupt_at = kill_at, interrupt_at

    def __call__(self, done: int, total: int, loss: float) -> None:
        self.losses.append(loss)
        if done == self.kill_at:
            raise Killed
        if done == self.interrupt_at:
            signal.raise_signal(signal.SIGINT)


def started(folder: Path, on_scored: OnProgress = lambda done, total: None) -> Start:
    """The start of a training that keeps what it prepares at once."""
    return Start(CPU, folder, 0.0, on_scored)


class FourSteps:
    """An objective with four batches an epoch, 1 to 4, whose `backward` is given."""

    def __init__(self, backward: Callable[[torch.nn.Linear, int], float]) -> None:
        self.network, self._backward = torch.nn.Linear(1, 1), backward

    def batches(self, epoch: int) -> list[int]:
        return [1, 2, 3, 4]

    def backward(self, batch: int, step: Step) -> float:
        return self._backward(self.network, batch)

    def validate(self) -> None:
        return None


def without_reader(model: Path, directory: Path) -> str:
    """Where a copy of a model is that has encoders and no reader."""
    shutil.copytree(model, directory)
    config = json.loads((directory / "config.json").read_text())
    del config["reader"]
    (directory / "config.json").write_text(json.dumps(config))
    return str(directory)


def random_batch() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Questions (3, 4), passages (5, 4), positives (3,) and excluded (3, 5) for a loss."""
    generator = np.random.default_rng(0)
    excluded = np.zeros((3, 5), bool)
    excluded[0, 4] = excluded[1, 0] = True
    return generator.normal(0, 1, (3, 4)), generator.normal(0, 1, (5, 4)), np.array([0, 1, 2]), excluded


def tensors(
    questions: np.ndarray, passages: np.ndarray, positives: np.ndarray, excluded: np.ndarray
) -> dict[str, torch.Tensor]:
    """What a loss of the encoders takes, by the names of its parameters."""
    arrays = {"questions": questions, "passages": passages, "positives": positives, "excluded": excluded}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
