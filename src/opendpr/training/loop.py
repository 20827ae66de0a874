"""The training loop, used by every trained part: AdamW, a linear schedule, checkpoints, resume, validation."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Generic, NamedTuple

import torch
from torch import nn

from opendpr.errors import OpendprError, ResourceError
from opendpr.training import distributed
from opendpr.training.checkpoint import (
    Progress,
    load_best,
    only_training,
    resume_checkpoint,
    save_best,
    save_checkpoint,
)
from opendpr.training.interruption import Interruption
from opendpr.training.objective import Batch, Objective, Step
from opendpr.training.optimization import average_with, faster_precision, make_optimizer, schedule
from opendpr.training.settings import TEACHER_SETTINGS, WITHOUT_EFFECT, LoopSettings
from opendpr.training.tensorboard import ScalarLog

logger = logging.getLogger(__name__)

OnStep = Callable[[int, int, float], None]
"""Called with steps done, steps in all, and the loss."""


def silent(done: int, total: int, loss: float) -> None:
    """An `OnStep` that says nothing."""


class Training(NamedTuple):
    """The result of a training; the network of the first process holds its best weights, averaged if asked."""

    losses: list[float]
    """The loss of every step."""
    validations: list[dict[str, float]]
    """`step` and figures of every validation, the first before any step."""
    best_step: int
    """Steps done when the network was best; without validations, all of them."""
    precision: str
    """`fp32` or `bf16`."""
    skipped: int
    """Steps that changed nothing, because their batch teaches nothing; their loss is 0."""


def train(
    objective: Objective[Batch],
    settings: LoopSettings,
    directory: Path,
    *,
    on_step: OnStep = silent,
    origin: Mapping[str, object] = MappingProxyType({}),
    log_directory: Path | None = None,
) -> Training:
    """Minimise the objective; go on from the checkpoint in `directory` if one is there.

    Args:
        objective: what is minimised
        settings: the loop's
        directory: where the checkpoints are
        on_step: called after every step
        origin: what else a checkpoint must agree on to be resumed, as the data
        log_directory: of TensorBoard's files, if they are wanted

    Raises:
        OpendprError: a loss or a gradient is not finite; the last checkpoint is kept.
        ResourceError: the memory of the GPU is full.
        StateError: the checkpoint was made with other settings, or the processes were given different ones.
        BusyError: another process trains in `directory`.
        KeyboardInterrupt: after SIGINT, when the step is done and a checkpoint is written.
    """
    with only_training(directory) if distributed.rank() == 0 else nullcontext():
        return _train(_Run(objective, settings, directory, origin), on_step, log_directory)


def _train(run: _Run[Batch], on_step: OnStep, log_directory: Path | None) -> Training:
    with Interruption() as interruption, ScalarLog(log_directory, run.progress.step) as log:
        if run.progress.step == 0:
            run.judge.validate(log)
        for batch in run.batches():
            loss, rate = run.advance(batch)
            step = run.progress.step
            log.add(step, {"loss": loss, "learning rate": rate})
            on_step(step, run.total, loss)
            validated = run.judge.is_due(step) and run.judge.validate(log, step)
            stopping = distributed.any_of(interruption.requested, run.device)
            if validated or stopping or run.is_due:
                run.save()
            if stopping:
                raise KeyboardInterrupt
    return run.finish()


class _Run(Generic[Batch]):
    """A training under way: its weights, how far it has come, and its checkpoints."""

    def __init__(
        self, objective: Objective[Batch], settings: LoopSettings, directory: Path, origin: Mapping[str, object]
    ) -> None:
        self._objective, self._settings, self._directory = objective, settings, directory
        network = objective.network
        self.device = next(network.parameters()).device
        self._per_epoch = len(objective.batches(0))
        self.total = settings.steps(self._per_epoch)
        base = network.state_dict() if settings.base_share else {}
        self._base = {name: value.clone() for name, value in base.items()}
        self._optimizer = make_optimizer(network, settings)
        others = WITHOUT_EFFECT | TEACHER_SETTINGS
        decisive = {name: value for name, value in asdict(settings).items() if name not in others}
        self._identity = {**decisive, **origin, "processes": distributed.world()}
        self.progress = _resumed(
            directory, network, self._optimizer, identity=self._identity, precision=settings.precision
        )
        if self.progress.step:
            logger.info("resumed at step %d of %d", self.progress.step, self.total)
        self.judge = _Judge(objective, settings, self.total, directory=directory, progress=self.progress)
        self._saved = time.monotonic()

    def batches(self) -> Iterator[Batch]:
        """The batches that are left, epoch after epoch."""
        while self.progress.step < self.total and not self.judge.tired:
            epoch, done = divmod(self.progress.step, self._per_epoch)
            for batch in self._objective.batches(epoch)[done : self._per_epoch]:
                yield batch
                if self.progress.step == self.total or self.judge.tired:
                    return

    def advance(self, batch: Batch) -> tuple[float, float]:
        """Do a step; returns its loss and learning rate."""
        progress, settings = self.progress, self._settings
        rate = settings.learning_rate * schedule(progress.step, self.total, settings.warmup_fraction)
        loss = self._update(batch, rate)
        skipped, loss = loss is None, loss or 0.0
        progress.losses.append(loss)
        self.progress = progress._replace(step=progress.step + 1, skipped=progress.skipped + skipped)
        return loss, rate

    def _update(self, batch: Batch, rate: float) -> float | None:
        """Change the weights once; returns the loss before it, or None if the batch teaches nothing."""
        objective, settings, number = self._objective, self._settings, self.progress.step
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad()
        seed = (settings.seed * 1_000_003 + number) * 1_009 + distributed.rank()
        torch.manual_seed(seed)
        bf16 = self.progress.precision == "bf16"
        try:
            loss = objective.backward(batch, Step(seed, settings.dropout, bf16, settings.chunk_tokens))
        except torch.OutOfMemoryError as error:
            cause = str(error).partition(". ")[0]
            raise ResourceError(f"the memory of the GPU is full ({cause}); train with a smaller batch_size") from None
        if loss is None:
            return None
        distributed.add_up_gradients(objective.network)
        norm = nn.utils.clip_grad_norm_(objective.network.parameters(), settings.max_gradient_norm).item()
        for quantity, value in (("loss", loss), ("length of the gradient", norm)):
            if not math.isfinite(value):
                raise OpendprError(
                    f"the {quantity} of step {number + 1} is {value}; start again in another directory with a lower "
                    f"learning rate than {settings.learning_rate}{', or in fp32' if bf16 else ''}"
                )
        self._optimizer.step()
        return loss

    @property
    def is_due(self) -> bool:
        """Whether it is time for a checkpoint."""
        late = time.monotonic() - self._saved > self._settings.checkpoint_seconds
        return late or self.progress.step == self.total

    def save(self) -> None:
        """Write a checkpoint, in the first process."""
        if distributed.rank() == 0:
            save_checkpoint(
                self._directory,
                self._objective.network,
                self._optimizer,
                progress=self.progress,
                settings=self._identity,
            )
            self._saved = time.monotonic()

    def finish(self) -> Training:
        """Bring back the best weights, averaged with the base's if asked."""
        progress, network = self.progress, self._objective.network
        best = self.judge.best_step if progress.validations else progress.step
        if best != progress.step and distributed.rank() == 0:  # it writes the model; the others have no use for it
            load_best(self._directory, network)
        if self._base:
            average_with(network, self._base, self._settings.base_share)
        return Training(progress.losses, progress.validations, best, progress.precision, progress.skipped)


def _resumed(
    directory: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    identity: Mapping[str, object],
    precision: str,
) -> Progress:
    """Where the newest checkpoint left network and optimizer, its precision resolved.

    The first process reads it and sends it to the others, which need not see its disk.
    """
    distributed.require_same(identity)
    progress = distributed.by_first(lambda: resume_checkpoint(directory, network, optimizer, settings=identity))
    distributed.share_state(network, optimizer)
    device = next(network.parameters()).device
    return progress._replace(
        precision=precision if precision != "auto" else progress.precision or faster_precision(device)
    )


class _Judge:
    """Validates the network, and keeps the best weights."""

    def __init__(
        self, objective: Objective[Batch], settings: LoopSettings, total: int, *, directory: Path, progress: Progress
    ) -> None:
        self._objective, self._settings, self._directory = objective, settings, directory
        self._device = next(objective.network.parameters()).device
        self._records = progress.validations
        count = min(total, settings.validations)
        self._steps = {round(total * (i + 1) / count) for i in range(count)}

    @property
    def best_step(self) -> int:
        """Steps done when the network was best; of equals the first."""
        return int(max(self._records, key=_decisive)["step"])

    @property
    def tired(self) -> bool:
        """Whether the last `patience` validations brought nothing better."""
        patience = self._settings.patience
        recent = [record["step"] for record in self._records[-patience:]] if patience else []
        return bool(recent) and len(self._records) > patience and self.best_step < recent[0]

    def is_due(self, step: int) -> bool:
        """Whether the network is validated after this step."""
        return step in self._steps and bool(self._records)

    def validate(self, log: ScalarLog, step: int = 0) -> bool:
        """Judge the network; without a judge, return False."""
        figures = self._objective.validate()
        if figures is None:
            return False
        agreed = {name: distributed.agreed(value, self._device) for name, value in figures.items()}
        self._records.append({"step": step, **agreed})
        log.add(step, agreed)
        logger.info("step %d: %s", step, ", ".join(f"{name} {value:.4g}" for name, value in agreed.items()))
        if self.best_step == step and distributed.rank() == 0:
            save_best(self._directory, self._objective.network)
        return True


def _decisive(record: Mapping[str, float]) -> float:
    """The first figure of a validation."""
    return next(value for name, value in record.items() if name != "step")
