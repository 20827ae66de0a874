"""What the commands of `opendpr train` share: options of the loop, and how progress and results are shown."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from typer import Option

from opendpr.choices import DeviceName, PrecisionName
from opendpr.cli.output import say
from opendpr.cli.progress import display
from opendpr.errors import UsageError
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.iteration import OnProgress
    from opendpr.training.loop import OnStep, Training

Output = Annotated[Path, Option("--output", "-o", help="Model directory to write.", show_default=False)]
SettingsFile = Annotated[
    Path | None, Option("--settings", help="TOML file with any of the settings; options given here win.")
]
Epochs = Annotated[float | None, Option("--epochs", help="Passes over the examples.", show_default=False)]
BatchSize = Annotated[int | None, Option("--batch-size", help="Questions in a step.", show_default=False)]
LearningRate = Annotated[float | None, Option("--learning-rate", help="Peak of the schedule.", show_default=False)]
Dropout = Annotated[float | None, Option("--dropout", help="Part of the hidden values set to 0.", show_default=False)]
BaseShare = Annotated[
    float | None,
    Option("--base-share", help="Share of the starting weights in the result.", show_default=False),
]
Teacher = Annotated[
    str | None,
    Option(
        "--teacher",
        help="Model whose reader or re-ranker scores positives and hard negatives, to be learned from.",
        show_default=False,
    ),
]
TeacherShare = Annotated[
    float | None, Option("--teacher-share", help="What the teacher counts in the loss, of 1.", show_default="0.5")
]
TeacherTemperature = Annotated[
    float | None,
    Option(
        "--teacher-temperature",
        help="What the teacher's scores are divided by: more is softer, less sure.",
        show_default="1",
    ),
]
Precision = Annotated[
    PrecisionName | None,
    Option("--precision", help="fp32 or bf16; auto: bf16 where the device gains by it.", show_default=False),
]
Device = Annotated[DeviceName | None, Option("--device", help="auto: a GPU if there is one.", show_default=False)]
Seed = Annotated[int | None, Option("--seed", help="Decides order, negatives and fresh weights.", show_default=False)]


def refuse_directories(files: Sequence[Path], part: str) -> None:
    """Raises UsageError if a collection or a folder is named where files of examples are expected.

    Args:
        part: what is trained, `encoder` or `reader`
    """
    for path in files:
        if path.is_dir():
            alone = "; --objective inverse-cloze trains on a collection alone" if part == "encoder" else ""
            raise UsageError(
                f"{path} is a directory, expected a file of examples: 'opendpr mine {path} QUESTIONS -o examples.jsonl'"
                f" makes one of a collection, then 'opendpr train {part} examples.jsonl -o OUTPUT'{alone}"
            )


def refuse_without_teacher(teacher: str, **options: float | None) -> None:
    """Raises UsageError if what is said of a teacher is said of none; `options` by their names, as `teacher_share`."""
    for name, value in options.items():
        if value is not None and not teacher:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} is of a teacher, and there is none; name one with --teacher, or leave it out")


def _is_first() -> bool:
    """Whether this process is the first of those that train together: the one that shows progress."""
    return os.environ.get("RANK", "0") == "0"


class Shown(NamedTuple):
    """What shows how far a training is."""

    on_step: OnStep
    on_scored: OnProgress
    """Of the passages that a teacher scores before the first step."""


@contextmanager
def shown(output: Path) -> Iterator[Shown]:
    """Shows the progress of a training, and at its end the result."""
    if not _is_first():
        yield Shown(lambda done, total, loss: None, lambda done, total: None)
        return
    started = time.monotonic()
    losses: list[float] = []
    say(f"training {output}; Ctrl-C keeps what was done, and the same command goes on")
    with display() as show:

        def on_step(done: int, total: int, loss: float) -> None:
            if not losses and done > 1:
                say(f"going on from step {done - 1:,} of {total:,}")
            losses.append(loss)
            show("training", "steps", done, total)

        yield Shown(on_step, lambda done, total: show("scoring by the teacher", "passages", done, total))
    tail = losses[-100:]
    loss = f", loss of the last {len(tail)}: {sum(tail) / len(tail):.3f}" if tail else ""
    say(f"wrote {output}: {counted(len(losses), 'step')} by this run, in {time.monotonic() - started:,.0f} s{loss}")


def report_best(training: Training) -> None:
    """Says which weights were written, if something judged them."""
    if not training.validations or not _is_first():
        return
    first, *_ = training.validations
    best = next(record for record in training.validations if record["step"] == training.best_step)
    shown = ", ".join(f"{name} {first[name]:.3g} -> {best[name]:.3g}" for name in best if name != "step")
    say(f"best after step {training.best_step:,}: {shown}")
    if training.best_step == 0:
        say("no step made it better than the model it started from, whose weights were written")
