"""`opendpr train`: encoders and reader from one's own examples."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from opendpr.cli.options import Precisions
from opendpr.cli.output import progress, say
from opendpr.errors import OpendprError

app = typer.Typer(help="Train a model on your own examples.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def parts() -> None:
    """Train a model on your own examples."""


@app.command("reader")
def train_reader(
    files: Annotated[
        list[Path],
        Argument(
            help="JSONL with question, passage, answer_start, answer_text; a file given twice counts twice.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, Option("--output", "-o", help="Model directory to write.", show_default=False)],
    base: Annotated[str, Option("--base", help="Model to start from; its encoder is kept.")] = "opendpr-minilm",
    epochs: Annotated[float, Option("--epochs", help="Passes over the examples.")] = 2.0,
    batch_size: Annotated[int, Option("--batch-size", help="Questions in a step.")] = 32,
    learning_rate: Annotated[float, Option("--learning-rate", help="Peak of the schedule.")] = 1e-4,
    dropout: Annotated[float, Option("--dropout", help="Part of the hidden values set to 0.")] = 0.1,
    negatives: Annotated[int, Option("--negatives", help="Passages without the answer for a question.")] = 1,
    negative_share: Annotated[float, Option("--negative-share", help="Share of questions that get negatives.")] = 0.25,
    precision: Annotated[
        Precisions, Option("--precision", help="auto: what is faster here, fp32 or bf16.")
    ] = Precisions.auto,
    seed: Annotated[int, Option("--seed", help="Of order, negatives and fresh weights.")] = 0,
) -> None:
    """Train the reader that marks answers (paper section 6.1).

    Interrupted, the same command goes on from the last checkpoint in OUTPUT/checkpoints.

    \b
    Example:
      opendpr train reader squad.jsonl mine.jsonl -o my-model
    """
    try:
        from opendpr.training.reader import ReaderSettings
        from opendpr.training.reader import train_reader as run
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise OpendprError("training needs torch; pip install 'opendpr[train]'") from None
    from opendpr.runtime.model import find_model

    settings = ReaderSettings(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=dropout,
        negatives=negatives,
        negative_share=negative_share,
        precision=precision.value,  # type: ignore[arg-type]  # int8 is refused by the settings
        seed=seed,
    )
    started = time.monotonic()
    with progress("training", "steps") as show:
        losses: list[float] = []

        def on_step(done: int, total: int, loss: float) -> None:
            losses.append(loss)
            show(done, total)

        run(files, find_model(base), output, settings, on_step)
    tail = losses[-100:]
    loss = f", loss of the last {len(tail)}: {sum(tail) / len(tail):.3f}" if tail else ""
    say(f"wrote {output}: {len(losses):,} steps by this run, in {time.monotonic() - started:,.0f} s{loss}")
