"""`opendpr train encoder`: the encoders of questions and passages from one's own examples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Option

from opendpr.cli.output import say
from opendpr.cli.train.options import (
    BaseShare,
    BatchSize,
    Device,
    Dropout,
    Epochs,
    LearningRate,
    Output,
    Precision,
    Seed,
    SettingsFile,
    Teacher,
    TeacherShare,
    TeacherTemperature,
    refuse_directories,
    refuse_without_teacher,
    report_best,
    shown,
)
from opendpr.errors import UsageError, needs_training_packages
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.training.encoder import Weighted
    from opendpr.training.pool import DevPool
    from opendpr.training.settings import EncoderSettings
    from opendpr.training.sources import ExampleSource


def train_encoder(
    files: Annotated[
        list[Path],
        Argument(
            help="Examples as 'opendpr mine' writes them, or DPR training files; "
            "with --objective inverse-cloze one collection.",
            show_default=False,
        ),
    ],
    output: Output,
    base: Annotated[str, Option("--base", help="Model to start from; its reader is kept.")] = "opendpr-minilm",
    objective: Annotated[
        Literal["examples", "inverse-cloze"],
        Option("--objective", help="inverse-cloze needs no questions, only documents."),
    ] = "examples",
    weight: Annotated[
        list[float] | None,
        Option("--weight", help="How often an epoch goes over each file, in their order.", show_default=False),
    ] = None,
    dev: Annotated[
        Path | None,
        Option("--dev", help="Examples kept apart; the weights that retrieve best among their passages are written."),
    ] = None,
    pool: Annotated[
        Path | None,
        Option("--pool", help="Collection from which 10,000 passages are added to those of --dev."),
    ] = None,
    settings: SettingsFile = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    dropout: Dropout = None,
    hard_negatives: Annotated[
        int | None, Option("--hard-negatives", help="Drawn for each question.", show_default=False)
    ] = None,
    untie: Annotated[
        bool | None, Option("--untie", help="A tower each for questions and passages.", show_default=False)
    ] = None,
    teacher: Teacher = None,
    teacher_share: TeacherShare = None,
    teacher_temperature: TeacherTemperature = None,
    base_share: BaseShare = None,
    precision: Precision = None,
    device: Device = None,
    seed: Seed = None,
    on: Annotated[
        str | None,
        Option(
            "--on",
            help="A Ray cluster that trains: ray://head:10001 or auto; needs opendpr[ray].",
            show_default="here",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        Option(
            "--workers",
            min=1,
            help="With --on: processes that train together.",
            show_default="one a GPU, or one a machine",
        ),
    ] = None,
) -> None:
    """Train the encoders of questions and passages (paper section 3.2).

    Interrupted, the same command goes on from the last checkpoint in OUTPUT/checkpoints. Started by
    torchrun, several processes train together, and with --on those of a Ray cluster: examples and base are sent
    to them, checkpoints and the model come back. OUTPUT/tensorboard holds the curves.

    \b
    Examples:
      opendpr mine notes questions.jsonl -o examples.jsonl
      opendpr train encoder examples.jsonl -o my-model
      opendpr train encoder a.jsonl b.jsonl --weight 1 --weight 0.5 --dev dev.jsonl -o my-model
      opendpr train encoder notes --objective inverse-cloze -o my-model
      opendpr train encoder examples.jsonl --hard-negatives 8 --teacher opendpr-minilm -o my-model
      opendpr train encoder examples.jsonl -o my-model --on ray://head:10001 --workers 4
    """
    if objective == "examples":
        refuse_directories(files, "encoder")
    with needs_training_packages("training"):
        from opendpr.training import encoder
    from opendpr.collection import open_collection
    from opendpr.training.run import run_training
    from opendpr.training.settings import EncoderSettings, read_settings

    resolved = read_settings(
        EncoderSettings,
        settings,
        {
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "dropout": dropout,
            "hard_negatives": hard_negatives,
            "untie": untie,
            "teacher": teacher,
            "teacher_share": teacher_share,
            "teacher_temperature": teacher_temperature,
            "base_share": base_share,
            "precision": precision,
            "device": device,
            "seed": seed,
        },
    )
    refuse_without_teacher(resolved.teacher, teacher_share=teacher_share, teacher_temperature=teacher_temperature)
    cloze = objective == "inverse-cloze"
    _refuse_combinations(files, weight, on, workers, cloze=cloze)
    examples = open_collection(files[0]) if cloze else _weighted(files, weight)
    if on and isinstance(examples, list):
        source = encoder.example_source(examples, resolved, dev, pool)
        _train_on(on, workers, source, models=(base, output), settings=resolved)
        return
    with shown(output) as show:
        job = encoder.examples_job(examples, base, resolved, dev=dev, pool=pool)
        trained = run_training(job, output, show.on_step, on_scored=show.on_scored)
    report_best(trained.training)


def _refuse_combinations(
    files: Sequence[Path], weight: Sequence[float] | None, on: str | None, workers: int | None, *, cloze: bool
) -> None:
    """Raises UsageError where workers are given without a cluster, or a collection does not stand alone."""
    if workers and not on:
        raise UsageError("--workers are processes of a cluster; give its address too, with --on")
    if cloze and (len(files) != 1 or weight or on):
        raise UsageError("--objective inverse-cloze takes one collection, no --weight and no --on; give it alone")


def _weighted(files: Sequence[Path], weights: Sequence[float] | None) -> list[Weighted]:
    """Each file with its weight, 1 where none are given.

    Raises:
        UsageError: there are not as many weights as files.
    """
    from opendpr.training.encoder import Weighted

    if weights and len(weights) != len(files):
        raise UsageError(
            f"got {counted(len(files), 'file')} and {counted(len(weights), 'weight')}; give --weight once for each"
        )
    return [Weighted(*pair) for pair in zip(files, weights or [1.0] * len(files), strict=True)]


def _train_on(
    address: str,
    workers: int | None,
    source: tuple[ExampleSource, object, DevPool | None],
    *,
    models: tuple[str, Path],
    settings: EncoderSettings,
) -> None:
    """Train by the processes of a cluster; `models` are the base and the directory to write."""
    from opendpr.cluster.place import processes
    from opendpr.model.directory import find_model
    from opendpr.training.elsewhere import train_elsewhere

    base, output = find_model(models[0]), models[1]
    join = partial(processes, on=address, workers=workers, gpus=settings.device != "cpu", report=say)
    with shown(output) as show:
        trained = train_elsewhere(join, source, base=base, output=output, settings=settings, on_step=show.on_step)
    report_best(trained.training)
