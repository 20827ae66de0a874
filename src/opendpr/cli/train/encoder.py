"""`opendpr train encoder`: the encoders of questions and passages from one's own examples."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    needs_torch,
    tell_best,
    told,
)
from opendpr.errors import UsageError

if TYPE_CHECKING:
    from opendpr.training.encoder import EncoderSettings
    from opendpr.training.pool import DevPool
    from opendpr.training.sources import PairSource
    from opendpr.types import ExamplePassage

POOL_PASSAGES = 10_000
"""Passages drawn from the collection of `--pool`."""


class Objectives(str, enum.Enum):
    """What an encoder is trained on."""

    examples = "examples"
    inverse_cloze = "inverse-cloze"


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
        Objectives, Option("--objective", help="inverse-cloze needs no questions, only documents.")
    ] = Objectives.examples,
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
        Option("--pool", help=f"Collection from which {POOL_PASSAGES:,} passages are added to those of --dev."),
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
    with needs_torch():
        from opendpr.training.encoder import EncoderSettings
        from opendpr.training.encoder import train_encoder as run
        from opendpr.training.settings import read_settings
    from opendpr.model.directory import find_model

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
            "precision": precision and precision.value,
            "device": device and device.value,
            "seed": seed,
        },
    )
    source, data = _source(files, objective, weight, resolved)
    judged = _pool(dev, pool, resolved)
    with told(output) as on_step:
        training = run(source, find_model(base), output, resolved, on_step, data=data, pool=judged)[1]
    tell_best(training)


def _source(
    files: Sequence[Path], objective: Objectives, weights: Sequence[float] | None, settings: EncoderSettings
) -> tuple[PairSource, object]:
    """Where pairs come from, and what says that an interrupted run used the same."""
    from opendpr.storage.digests import file_sha256
    from opendpr.training.sources import ExampleSource, InverseClozeSource, read_training_examples

    if objective is Objectives.inverse_cloze:
        from opendpr.collection import open_collection

        if len(files) != 1 or weights:
            raise UsageError("--objective inverse-cloze takes one collection, and no --weight")
        collection = open_collection(files[0])
        return InverseClozeSource(collection), {"collection": collection.id, "version": collection.version()}
    weights = list(weights or [1.0] * len(files))
    if len(weights) != len(files):
        raise UsageError(f"there are {len(files)} files and {len(weights)} weights; give --weight once for each file")
    sets = [read_training_examples(path) for path in files]
    data = [
        {"file": path.name, "sha256": file_sha256(path), "examples": len(examples), "weight": weight}
        for path, examples, weight in zip(files, sets, weights, strict=True)
    ]
    return ExampleSource(sets, weights, settings.hard_negatives), data


def _pool(dev: Path | None, collection: Path | None, settings: EncoderSettings) -> DevPool | None:
    from opendpr.training.pool import DevPool
    from opendpr.training.sources import Pair, read_training_examples

    if dev is None:
        if collection is not None:
            raise UsageError("--pool makes the passages of --dev more; give --dev too")
        return None
    pairs = [
        Pair(example.question.text, example.positives[0], example.hard_negatives, example.positives[1:])
        for example in read_training_examples(dev)
    ]
    return DevPool(pairs, _drawn(collection, settings.seed) if collection else ())


def _drawn(directory: Path, seed: int) -> list[ExamplePassage]:
    """Passages of a collection, drawn at random."""
    import random

    from opendpr.collection import open_collection
    from opendpr.types import ExamplePassage

    generator = random.Random(seed)
    drawn: list[ExamplePassage] = []
    with open_collection(directory) as collection:
        for place, passage in enumerate(collection.passages_after(0)):
            at = place if place < POOL_PASSAGES else generator.randrange(place + 1)
            if at < POOL_PASSAGES:  # so that every passage has the same chance
                drawn[at : at + 1] = [ExamplePassage(passage.title, passage.text)]
    return drawn
