"""`opendpr train reader`: the reader from one's own examples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

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
from opendpr.errors import needs_training_packages


def train_reader(
    files: Annotated[
        list[Path],
        Argument(
            help="JSON lines with question, passage, answer_start, answer_text, or examples as 'opendpr mine' writes "
            "them; a file given twice counts twice.",
            show_default=False,
        ),
    ],
    output: Output,
    base: Annotated[str, Option("--base", help="Model to start from; its encoder is kept.")] = "opendpr-minilm",
    dev: Annotated[
        Path | None,
        Option("--dev", help="Examples kept apart, of either form; the weights with the best F1 on them are written."),
    ] = None,
    settings: SettingsFile = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    dropout: Dropout = None,
    negatives: Annotated[
        int | None,
        Option("--negatives", help="Passages without the answer for a question.", show_default=False),
    ] = None,
    negative_share: Annotated[
        float | None, Option("--negative-share", help="Share of questions that get negatives.", show_default=False)
    ] = None,
    teacher: Teacher = None,
    teacher_share: TeacherShare = None,
    teacher_temperature: TeacherTemperature = None,
    base_share: BaseShare = None,
    precision: Precision = None,
    device: Device = None,
    seed: Seed = None,
) -> None:
    """Train the reader that marks answers (paper section 6.1).

    Interrupted, the same command goes on from the last checkpoint in OUTPUT/checkpoints. Started by
    torchrun, several processes train together. OUTPUT/tensorboard holds the curves.

    \b
    Examples:
      opendpr train reader squad.jsonl mine.jsonl -o my-model
      opendpr mine notes questions.jsonl --negatives 30 -o examples.jsonl
      opendpr train reader examples.jsonl --negatives 23 --negative-share 1 --dev dev.jsonl -o my-model
      opendpr train reader examples.jsonl --negatives 7 --negative-share 1 --teacher ./cross-encoder -o my-model
    """
    refuse_directories(files, "reader")
    with needs_training_packages("training"):
        from opendpr.training import reader
    from opendpr.training.run import run_training
    from opendpr.training.settings import ReaderSettings, read_settings

    resolved = read_settings(
        ReaderSettings,
        settings,
        {
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "dropout": dropout,
            "negatives": negatives,
            "negative_share": negative_share,
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
    with shown(output) as show:
        job = reader.reader_job(files, base, resolved, dev=dev)
        trained = run_training(job, output, show.on_step, on_scored=show.on_scored)
    report_best(trained.training)
