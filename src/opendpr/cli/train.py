"""`opendpr train`: encoders and reader from one's own examples."""

from __future__ import annotations

import enum
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from opendpr.cli.options import Devices, Precisions
from opendpr.cli.output import progress, say
from opendpr.errors import OpendprError, UsageError

if TYPE_CHECKING:
    from opendpr.training.encoder import EncoderSettings
    from opendpr.training.loop import OnStep
    from opendpr.training.pool import DevPool
    from opendpr.training.sources import PairSource
    from opendpr.types import ExamplePassage

POOL_PASSAGES = 10_000
"""Passages drawn from the collection of `--pool`."""

app = typer.Typer(help="Train a model on your own examples.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def parts() -> None:
    """Train a model on your own examples."""


class Objectives(str, enum.Enum):
    """What an encoder is trained on."""

    examples = "examples"
    inverse_cloze = "inverse-cloze"


Output = Annotated[Path, Option("--output", "-o", help="Model directory to write.", show_default=False)]
SettingsFile = Annotated[
    Path | None, Option("--settings", help="TOML file with any of the settings; options given here win.")
]
Epochs = Annotated[float | None, Option("--epochs", help="Passes over the examples.", show_default=False)]
BatchSize = Annotated[int | None, Option("--batch-size", help="Questions in a step.", show_default=False)]
LearningRate = Annotated[float | None, Option("--learning-rate", help="Peak of the schedule.", show_default=False)]
Dropout = Annotated[float | None, Option("--dropout", help="Part of the hidden values set to 0.", show_default=False)]
Precision = Annotated[
    Precisions | None, Option("--precision", help="fp32 or bf16; auto: what is faster here.", show_default=False)
]
Device = Annotated[Devices | None, Option("--device", help="auto: a GPU if there is one.", show_default=False)]
Seed = Annotated[int | None, Option("--seed", help="Of order, negatives and fresh weights.", show_default=False)]


@app.command("encoder")
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
    base_share: Annotated[
        float | None,
        Option("--base-share", help="Share of the starting weights in the result, from 0.", show_default=False),
    ] = None,
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
    with _needs_torch():
        from opendpr.training.encoder import EncoderSettings
        from opendpr.training.encoder import train_encoder as run
        from opendpr.training.settings import read_settings
    from opendpr.runtime.model import find_model

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
    with _told(output) as on_step:
        training = run(source, find_model(base), output, resolved, on_step, data=data, pool=judged)[1]
    if training.validations and _speaks():
        first, *_ = training.validations
        best = next(record for record in training.validations if record["step"] == training.best_step)
        shown = ", ".join(f"{name} {first[name]:.3g} -> {best[name]:.3g}" for name in best if name != "step")
        say(f"best after step {training.best_step:,}: {shown}")
        if training.best_step == 0:
            say("no step made retrieval better than the model it started from, whose weights were written")


def _source(
    files: Sequence[Path], objective: Objectives, weights: Sequence[float] | None, settings: EncoderSettings
) -> tuple[PairSource, object]:
    """Where pairs come from, and what says that an interrupted run used the same."""
    from opendpr.formats import file_sha256
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
    if any(weight <= 0 for weight in weights):
        raise UsageError(f"a weight must be larger than 0, got {min(weights)}; leave the file out instead")
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


@contextmanager
def _needs_torch() -> Iterator[None]:
    """Says what to install where torch is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "tensorboard", "psutil"):
            raise
        raise OpendprError(f"training needs {error.name}; pip install 'opendpr[train]'") from None


def _speaks() -> bool:
    """Whether this process tells of the training: of several the first."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def _told(output: Path) -> Iterator[OnStep]:
    """Shows the progress of a training, and at its end what came of it."""
    if not _speaks():
        yield lambda done, total, loss: None
        return
    started = time.monotonic()
    losses: list[float] = []
    with progress("training", "steps") as show:

        def on_step(done: int, total: int, loss: float) -> None:
            losses.append(loss)
            show(done, total)

        yield on_step
    tail = losses[-100:]
    loss = f", loss of the last {len(tail)}: {sum(tail) / len(tail):.3f}" if tail else ""
    say(f"wrote {output}: {len(losses):,} steps by this run, in {time.monotonic() - started:,.0f} s{loss}")


@app.command("reader")
def train_reader(
    files: Annotated[
        list[Path],
        Argument(
            help="JSONL with question, passage, answer_start, answer_text; a file given twice counts twice.",
            show_default=False,
        ),
    ],
    output: Output,
    base: Annotated[str, Option("--base", help="Model to start from; its encoder is kept.")] = "opendpr-minilm",
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
    precision: Precision = None,
    seed: Seed = None,
) -> None:
    """Train the reader that marks answers (paper section 6.1).

    Interrupted, the same command goes on from the last checkpoint in OUTPUT/checkpoints.

    \b
    Example:
      opendpr train reader squad.jsonl mine.jsonl -o my-model
    """
    with _needs_torch():
        from opendpr.training.reader import ReaderSettings
        from opendpr.training.reader import train_reader as run
        from opendpr.training.settings import read_settings
    from opendpr.runtime.model import find_model

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
            "precision": precision and precision.value,
            "seed": seed,
        },
    )
    with _told(output) as on_step:
        run(files, find_model(base), output, resolved, on_step)
