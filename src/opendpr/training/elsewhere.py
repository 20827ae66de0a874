"""Training encoders in processes of other machines: what is sent to them, and what comes back.

The driver reads the examples and keeps the output directory; the processes train in a directory of their own, and the
first of them hands checkpoints and at last the model back. So no file system is shared, and whatever interrupts the
work, the driver's directory is what a training on one machine would have left there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

from opendpr.errors import BusyError, UsageError
from opendpr.model.directory import TRAINING_FOLDERS, Model, refuse_used
from opendpr.storage.atomic import make_directory, put_in_place, replacing
from opendpr.training import distributed
from opendpr.training.checkpoint import BEST_WEIGHTS, only_training
from opendpr.training.encoder import encoder_job
from opendpr.training.interruption import Interruption
from opendpr.training.loop import OnStep, Training
from opendpr.training.pool import DevPool
from opendpr.training.run import Trained, run_training
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import ExampleSource

CHECKPOINTS = "checkpoints"
Files = Mapping[str, bytes]
"""Contents of files by relative path."""


@dataclass(frozen=True)
class EncoderTask:
    """All that a process needs to train encoders."""

    source: ExampleSource
    data: object
    """What the source was made of, for the record."""
    settings: EncoderSettings
    base: Files
    """The directory of the base model."""
    pool: DevPool | None = None
    checkpoints: Files = field(default_factory=dict)
    """What an interrupted run left, to go on from."""


class Finished(NamedTuple):
    """What the first process has made."""

    files: Files
    """Of the model."""
    training: Training


class News(NamedTuple):
    """What came since the last look."""

    steps: Sequence[tuple[int, int, float]]
    """Steps done, steps in all and the loss, of each step."""
    saved: int
    """The step of the newest checkpoint; 0 if there is none."""
    checkpoints: Files
    """Its files, and the best weights so far; none if it was handed over before."""


class EncoderWork:
    """Trains encoders together with other processes."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="opendpr-training-")
        self._steps: list[tuple[int, int, float]] = []
        self._handed_over = 0

    @property
    def _output(self) -> Path:
        return Path(self._folder.name) / "output"

    def run(self, task: EncoderTask) -> Finished | None:
        """Train; None if it was interrupted, or if another process is the first one."""
        base = Path(self._folder.name) / "base"
        write_files(base, task.base)
        write_files(self._output / CHECKPOINTS, task.checkpoints)
        job = encoder_job(task.source, Model(base), task.settings, data=task.data, pool=task.pool)
        try:
            trained = run_training(job, self._output, lambda *step: self._steps.append(step))
        except KeyboardInterrupt:
            return None
        finally:
            first = distributed.rank() == 0
            distributed.stop()
        return Finished(read_files(self._output), trained.training) if first else None

    def news(self, known: int) -> News:
        """What came since a checkpoint of the step `known`."""
        steps, self._handed_over = self._steps[self._handed_over :], len(self._steps)
        saved = _newest_step(self._output / CHECKPOINTS)
        if saved <= known:
            return News(steps, known, {})
        try:
            return News(steps, saved, _checkpoint_files(self._output / CHECKPOINTS, saved))
        except FileNotFoundError:  # a newer one took its place meanwhile
            return News(steps, known, {})

    def interrupt(self) -> None:
        """Finish the step, save a checkpoint and end."""
        Interruption.request_all()

    def close(self) -> None:
        """Remove the directory that it trained in."""
        self._folder.cleanup()


class Reception:
    """The driver's side: what arrives is put into the output directory."""

    def __init__(self, output: Path, on_step: OnStep) -> None:
        self.output, self._on_step = output, on_step

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else trains into the output directory.

        Raises:
            BusyError: another process trains there.
            StateError: it holds a model already.
        """
        refuse_used(self.output)
        make_directory(self.output / CHECKPOINTS)
        with only_training(self.output / CHECKPOINTS):
            yield

    def checkpoints(self) -> dict[str, bytes]:
        """What an interrupted run left."""
        saved = _newest_step(self.output / CHECKPOINTS)
        return _checkpoint_files(self.output / CHECKPOINTS, saved) if saved else {}

    def take(self, news: News) -> int:
        """Show steps and keep a checkpoint; returns the step of the newest one."""
        for step in news.steps:
            self._on_step(*step)
        if news.checkpoints:
            directory = self.output / CHECKPOINTS
            temporary, target = directory / "writing", directory / f"step-{news.saved}"
            shutil.rmtree(temporary, ignore_errors=True)
            prefix = f"{target.name}/"
            own = {name.removeprefix(prefix): value for name, value in news.checkpoints.items() if prefix in name}
            write_files(temporary, own)
            write_files(directory, {name: value for name, value in news.checkpoints.items() if prefix not in name})
            shutil.rmtree(target, ignore_errors=True)
            put_in_place(temporary, target)
            for other in directory.glob("step-*"):
                if other != target:
                    shutil.rmtree(other)
        return news.saved

    def finish(self, finished: Finished) -> Model:
        """Write the model; its `config.json` comes last, as it makes a directory a model."""
        names = sorted(finished.files, key=lambda name: name == "config.json")
        write_files(self.output, {name: finished.files[name] for name in names})
        shutil.rmtree(self.output / CHECKPOINTS)
        return Model(self.output)


class Group(Protocol):
    """Processes that train together."""

    def run(self, task: EncoderTask, on_news: Callable[[News], int]) -> Finished | None:
        """What the first of them makes; None if they were interrupted.

        Args:
            on_news: is given what the first process has that is new, and returns the step of the newest checkpoint
        """


Join = Callable[[type[EncoderWork]], AbstractContextManager[Group]]
"""Starts processes of which each makes its work, and ends them."""


def train_elsewhere(
    join: Join,
    source: tuple[ExampleSource, object, DevPool | None],
    *,
    base: Model,
    output: Path,
    settings: EncoderSettings,
    on_step: OnStep,
) -> Trained:
    """Train encoders by processes that share no file system with this one, and write the model here.

    Args:
        source: what `opendpr.training.encoder.example_source` makes of examples
        output: the directory to write; what an interrupted run left there is gone on from

    Raises:
        BusyError: another process trains there, or the processes were interrupted or lost.
        StateError: `output` holds a model already, or a checkpoint of other settings, data or pool.
        UsageError: a teacher is asked for.
        OpendprError: a loss or a gradient is not finite.
    """
    if settings.is_taught:
        raise UsageError(
            "a teacher scores passages where the training runs, and the processes of a cluster have no such model; "
            "train here or with torchrun, or leave the teacher out"
        )
    examples, data, pool = source
    files, reception = base_files(base.directory), Reception(output, on_step)
    with join(EncoderWork) as group, reception.held():
        task = EncoderTask(examples, data, settings, files, pool, reception.checkpoints())
        finished = group.run(task, reception.take)
        if finished is None:
            raise BusyError(f"the processes were interrupted; the same command goes on with {output}")
        return Trained(reception.finish(finished), finished.training)


def read_files(directory: Path) -> dict[str, bytes]:
    """All files below a directory."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


def base_files(directory: Path) -> dict[str, bytes]:
    """The files of a base model, without what is no part of it, such as the questions that users judged."""
    files = read_files(directory)
    return {name: content for name, content in files.items() if name.split("/")[0] not in TRAINING_FOLDERS}


def write_files(directory: Path, files: Files) -> None:
    """Write files below a directory, in their order, each whole or not at all."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)


def _newest_step(checkpoints: Path) -> int:
    return max((int(path.name.removeprefix("step-")) for path in checkpoints.glob("step-*")), default=0)


def _checkpoint_files(checkpoints: Path, step: int) -> dict[str, bytes]:
    directory = checkpoints / f"step-{step}"
    files = {f"{directory.name}/{name}": content for name, content in read_files(directory).items()}
    if not files:
        raise FileNotFoundError(directory)
    best = checkpoints / BEST_WEIGHTS
    return {**files, BEST_WEIGHTS: best.read_bytes()} if best.exists() else files
