"""Bars of progress on a terminal, by rich."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from opendpr.cli.work import OnWork, amount

RATE_SECONDS = 3_600.0
"""How far back the rate looks, so that steps of minutes have a time left too."""


@contextmanager
def bars() -> Iterator[OnWork]:
    """A bar on stderr for each kind of work, gone at the end; what is written to stderr meanwhile is above them.

    Stdout is left alone: it may be a pipe while stderr is a terminal.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True, force_terminal=True),
        speed_estimate_period=RATE_SECONDS,
        transient=True,
        redirect_stdout=False,
    ) as progress:
        tasks: dict[tuple[str, str], TaskID] = {}

        def show(what: str, unit: str, done: int, total: int) -> None:
            if (what, unit) not in tasks:
                tasks[what, unit] = progress.add_task(what, total=None, amount="")
            shown = amount(done, total, unit) if done else ""
            progress.update(tasks[what, unit], completed=done, total=total or None, amount=shown)

        yield show
