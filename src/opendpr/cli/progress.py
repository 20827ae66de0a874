"""How far a command is: bars on a terminal, in a log a line a minute, nothing beside `--json`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from opendpr.cli.work import OnWork, amount
from opendpr.iteration import OnStage

LOGGED_SECONDS = 60.0
"""Between two lines of progress where stderr is no terminal."""


@contextmanager
def progress(what: str, unit: str, *, silent: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show how far one kind of work is; yields what to call with (done, total).

    Args:
        silent: show nothing, as beside `--json`
    """
    with display(silent=silent) as show:
        yield partial(show, what, unit)


@contextmanager
def stages(unit: str, *, silent: bool = False) -> Iterator[OnStage]:
    """Like `progress`, of several kinds of work with one unit; yields what to call with (what, done, total)."""
    with display(silent=silent) as show:
        yield lambda what, done, total: show(what, unit, done, total)


@contextmanager
def display(*, silent: bool = False) -> Iterator[OnWork]:
    """Like `progress`, of several kinds of work, each with its unit."""
    if silent:
        yield lambda what, unit, done, total: None
    elif sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        from opendpr.cli.rich import bars

        with bars() as show:
            yield show
    else:
        yield _logged()


def _logged() -> OnWork:
    """Writes lines to stderr, for each kind of work at most one a minute."""
    logs: dict[tuple[str, str], Callable[[int, int], None]] = {}

    def show(what: str, unit: str, done: int, total: int) -> None:
        if (what, unit) in logs:
            logs[what, unit](done, total)
        else:
            logs[what, unit] = _log(what, unit, done)

    return show


def _log(what: str, unit: str, begun: int) -> Callable[[int, int], None]:
    """The lines of one kind of work; what was done before says nothing about the rate of this run."""
    started = shown = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < LOGGED_SECONDS or done == begun:
            return
        shown = now
        rate = (done - begun) / max(now - started, 1e-9)
        line = f"{what} {amount(done, total, unit)} · {rate:,.1f}/s"
        if total:
            left = int((total - done) / rate)
            line += f" · {left // 60}:{left % 60:02d} left"
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    return show
