"""Training encoders here, or by the processes of a cluster: `opendpr.train_encoder`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from opendpr.cluster.place import processes
from opendpr.collection import Collection
from opendpr.errors import UsageError
from opendpr.model.directory import DEFAULT_MODEL, Model, find_model
from opendpr.training.elsewhere import train_elsewhere
from opendpr.training.encoder import Examples, Weighted, example_source, examples_job
from opendpr.training.loop import OnStep, silent
from opendpr.training.run import Trained, run_training
from opendpr.training.settings import EncoderSettings


def train_encoder(
    examples: Examples | Sequence[Weighted] | Collection,
    base: str | Path | Model = DEFAULT_MODEL,
    *,
    output: str | Path,
    settings: EncoderSettings = EncoderSettings(),
    dev: Examples | None = None,
    pool: str | Path | None = None,
    on_step: OnStep = silent,
    on: str | None = None,
    workers: int | None = None,
) -> Trained:
    """Train encoders from the weights of `base`; write a model with them and base's reader. Interrupted, call it again.

    Args:
        examples: a file as `opendpr mine` writes it or DPR's training files, `TrainingExample`s, or several of these,
            each `Weighted`; a collection trains on its sentences (inverse cloze, Lee et al. 2019)
        base: a model, its directory, or the name of an installed model package
        output: the directory to write
        dev: examples kept apart; the weights that retrieve best among their passages are written
        pool: a collection from which passages are added to those of `dev`
        on_step: called after every step with steps done, steps in all, and the loss
        on: a Ray cluster that trains, as `ray://head:10001`, or `auto` for the one of this machine
        workers: processes of the cluster that train together; None is one a GPU, or one a machine

    Raises:
        InputError: the examples cannot be read, or nothing can be learned from them.
        UsageError: settings do not fit the base, `pool` is given without `dev`, or `on` with a collection.
        BusyError: another process trains there, or there is no cluster at `on`, or one of its processes was lost.
        StateError: `output` holds a model already, or a checkpoint of other settings, data, pool or teacher; or there
            is no such teacher.
        OpendprError: a loss, a gradient or a teacher's score is not finite.
    """
    if on is None:
        _refuse_workers(workers)
        job = examples_job(examples, base, settings, dev=dev, pool=pool)
        return run_training(job, Path(output), on_step)
    source = example_source(_sendable(examples), settings, dev, pool)
    join = partial(processes, on=on, workers=workers, gpus=settings.device != "cpu")
    return train_elsewhere(join, source, base=_model(base), output=Path(output), settings=settings, on_step=on_step)


def _model(base: str | Path | Model) -> Model:
    return base if isinstance(base, Model) else find_model(str(base))


def _refuse_workers(workers: int | None) -> None:
    if workers is not None:
        raise UsageError("workers are processes of a cluster; give its address too, with on=")


def _sendable(examples: Examples | Sequence[Weighted] | Collection) -> Examples | Sequence[Weighted]:
    """Examples that can be sent; raises UsageError for a collection."""
    if isinstance(examples, Collection):
        raise UsageError("a collection is not sent to a cluster; train on examples of it, as opendpr.mine makes them")
    return examples
