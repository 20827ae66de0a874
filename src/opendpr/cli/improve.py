"""`opendpr improve`: a better model out of what was said of answers."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from opendpr.cli.located import located_to_write
from opendpr.cli.options import AsJson, CollectionToChange, DeviceOption, PrecisionOption, RuntimeOption, WaitOption
from opendpr.cli.output import print_json, put, say
from opendpr.cli.progress import display, progress
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.improving.round import Improvement

UNITS = {"encoding": "passages", "training the encoder": "steps", "training the reader": "steps"}
"""What a stage counts, where it is not questions."""


def improve(
    collection: CollectionToChange,
    output: Annotated[
        Path | None,
        Option(
            "--output",
            "-o",
            help="Model directory to write; interrupted, it goes on from there.",
            show_default="COLLECTION-improved, beside it",
        ),
    ] = None,
    apply: Annotated[
        bool, Option("--apply", help="Let the collection answer with the new model, if it is shown to be better.")
    ] = False,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Make a model out of what was said of the answers of COLLECTION, and say whether it is better.

    The judged questions ('opendpr questions') are divided by their documents: half to learn from, half kept
    apart. On the first, lambda of hybrid search is fitted; the confidence too, from 30 right and 30 wrong answers
    on, as fewer do not tell them apart; from 100 mined examples on the encoder is trained, as fewer may make
    vectors worse; from 500 the reader. On the others both models answer, and the difference decides:
    switch if exact match is better, or if it is not worse and the confidence is closer to the truth, beyond what
    chance explains. Below 30 judged questions nothing is tried.

    \b
    Examples:
      opendpr improve notes
      opendpr improve notes --apply
    """
    from opendpr.improving.round import improve as run_round
    from opendpr.improving.switching import switch, way_back
    from opendpr.model.runtime import RuntimeSettings

    located_to_write(collection, "improve its model")
    running = RuntimeSettings(runtime, precision, device)
    with display(silent=as_json) as show:
        made = run_round(
            collection,
            output,
            runtime=running,
            on_progress=lambda what, done, total: show(what, UNITS.get(what, "questions"), done, total),
        )
    if not as_json:
        _report(made)
    applied, back = False, way_back(collection, made.before)
    try:
        if apply and made.decision.switch:
            with progress("encoding", "passages", silent=as_json) as on_progress:
                switch(collection, made.model, runtime=running, wait_seconds=wait, on_progress=on_progress)
            applied = True
    finally:  # a collection that is busy now does not lose what the round says
        if as_json:
            print_json({**made.as_json(), "applied": applied, "back": back})
    if not as_json:
        _say_next(collection, made, back, apply=apply)


def _say_next(collection: Path, made: Improvement, back: str, *, apply: bool) -> None:
    """What the collection answers with now, and the command that changes it."""
    switching = shlex.join(["opendpr", "improve", str(collection), "-o", str(made.model), "--apply"])
    encoding = shlex.join(["opendpr", "encode", str(collection), "--model", str(made.model)])
    if apply and made.decision.switch:
        say(f"{collection} answers with {made.model} now; to go back: {back}")
    elif made.decision.switch:
        say(f"to switch: {switching}")
    elif apply:
        say(f"{collection} answers as before; to switch all the same: {encoding}")


def _report(made: Improvement) -> None:
    from opendpr.evaluation.tables import tables

    learned, apart = (counted(len(part), "question") for part in made.parts)
    say(f"{learned} to learn from, {apart} kept apart")
    for line in made.judged.describe():
        say(line)
    for name, what in made.changes.items():
        say(f"{name}: {what}")
    say(f"wrote {made.model}")
    for text in tables(made.decision.summary):
        put(f"{text}\n")
    put(made.decision.sentence)
