"""`opendpr train encoder`: the encoders of questions and passages from one's own examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
    refuse_directories,
    report_best,
    shown,
)
from opendpr.errors import UsageError, needs_training_packages
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.collection import Collection


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
    base_share: BaseShare = None,
    precision: Precision = None,
    device: Device = None,
    seed: Seed = None,
) -> None:
    """Train the encoders of questions and passages (paper section 3.2).

    Interrupted, the same command goes on from the last checkpoint in OUTPUT/checkpoints. Started by
    torchrun, several processes train together. OUTPUT/tensorboard holds the curves.

    \b
    Examples:
      opendpr mine notes questions.jsonl -o examples.jsonl
      opendpr train encoder examples.jsonl -o my-model
      opendpr train encoder a.jsonl b.jsonl --weight 1 --weight 0.5 --dev dev.jsonl -o my-model
      opendpr train encoder notes --objective inverse-cloze -o my-model
    """
    if objective == "examples":
        refuse_directories(files, "encoder")
    with needs_training_packages("training"):
        from opendpr.training import encoder
    from opendpr.collection import open_collection
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
            "base_share": base_share,
            "precision": precision,
            "device": device,
            "seed": seed,
        },
    )
    examples: Collection | list[encoder.Weighted]
    if objective == "inverse-cloze":
        if len(files) != 1 or weight:
            raise UsageError("--objective inverse-cloze takes one collection, and no --weight; give these alone")
        examples = open_collection(files[0])
    else:
        weights = weight or [1.0] * len(files)
        if len(weights) != len(files):
            raise UsageError(
                f"got {counted(len(files), 'file')} and {counted(len(weights), 'weight')}; give --weight once for each"
            )
        examples = [encoder.Weighted(path, share) for path, share in zip(files, weights, strict=True)]
    with shown(output) as on_step:
        trained = encoder.train_encoder(
            examples, base, output=output, settings=resolved, dev=dev, pool=pool, on_step=on_step
        )
    report_best(trained.training)
