"""One training from a base model to a written model: what encoder and reader share."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple

import torch
from torch import nn

from opendpr.iteration import OnProgress
from opendpr.model.directory import Model, refuse_used
from opendpr.model.torch import choose_device
from opendpr.storage.atomic import write_json
from opendpr.training import distributed
from opendpr.training.loop import OnStep, Training, silent, train
from opendpr.training.objective import Batch, Objective, Start
from opendpr.training.settings import LoopSettings
from opendpr.wording import counted

logger = logging.getLogger(__name__)

LOSS_STEPS = 100
"""Last steps over which a record gives the mean loss."""


class Trained(NamedTuple):
    """A written model, and how its training went. In all processes but the first, the model is the base."""

    model: Model
    training: Training


@dataclass(frozen=True)
class Job(Generic[Batch]):
    """One part of a model to train: what differs between encoder and reader."""

    part: Literal["encoder", "reader"]
    base: Model
    settings: LoopSettings
    origin: Mapping[str, object]
    """The data and the judge: a checkpoint must agree on them to be resumed, and the record keeps them."""
    objective: Callable[[Start], Objective[Batch]]
    """Makes what is minimised, its network on the device with the weights to start from."""
    write: Callable[[Path, nn.Module], Model]
    """Writes the model with the trained network."""
    resolved: Mapping[str, object] = field(default_factory=dict)
    """Settings that the base decided, as they were resolved for the record."""


def run_training(
    job: Job[Batch], output: Path, on_step: OnStep = silent, *, on_scored: OnProgress = lambda done, total: None
) -> Trained:
    """Train a part of a model and write the result with its record; go on where an earlier run was interrupted.

    Args:
        on_step: called after every step
        on_scored: called with how many passages a teacher has scored, and of how many, before the first step

    Raises:
        BusyError: another process trains there.
        StateError: `output` holds a model already, or a checkpoint of other settings, data or teacher.
        CorruptionError: the encoder of the base is not that of its fingerprint.
        OpendprError: a loss, a gradient or a teacher's score is not finite.
    """
    if job.base.encoder:
        job.base.verify_encoder()
    device = distributed.start(torch.device(choose_device(job.settings.device)), job.settings.timeout_seconds)
    distributed.by_first(lambda: refuse_used(output))
    torch.manual_seed(job.settings.seed)
    checkpoints = output / "checkpoints"
    objective = job.objective(Start(device, checkpoints, job.settings.checkpoint_seconds, on_scored))
    origin = {**job.origin, "base": job.base.fingerprint}
    training = train(
        objective, job.settings, checkpoints, on_step=on_step, origin=origin, log_directory=output / "tensorboard"
    )
    if distributed.rank() != 0:
        return Trained(job.base, training)
    if training.skipped:
        logger.warning("skipped %s whose batch had no negative for any question", counted(training.skipped, "step"))
    model = job.write(output, objective.network)
    write_json(output / "training.json", _record(job, objective, training, device=device))
    shutil.rmtree(checkpoints)
    return Trained(model, training)


def _record(
    job: Job[Batch], objective: Objective[Batch], training: Training, *, device: torch.device
) -> dict[str, Any]:
    """What `training.json` says of how the model was made."""
    tail = training.losses[-LOSS_STEPS:]
    settings = {**asdict(job.settings), "precision": training.precision, "device": device.type, **job.resolved}
    return {
        "part": job.part,
        "base": job.base.name,
        "base_training": job.base.training_record(),
        "base_fingerprint": job.base.fingerprint,
        **job.origin,
        **objective.record(),
        "torch": torch.__version__,
        "settings": settings,
        "steps": len(training.losses),
        "skipped_steps": training.skipped,
        "best_step": training.best_step,
        "loss": sum(tail) / len(tail),
        "validations": training.validations,
    }
