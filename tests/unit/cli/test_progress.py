"""How far a command is: a bar on a terminal, lines in a log, nothing beside JSON."""

from __future__ import annotations

import io
import re
import sys
from itertools import count

import pytest

from opendpr.cli import progress
from opendpr.cli.output import MessageStream, escape_unknown_characters, say


class Terminal(io.TextIOWrapper):
    """A stderr that says it is a terminal."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding, write_through=True)

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """All that was written."""
        return self.buffer.getvalue().decode(self.encoding)


def terminal(monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8", **environment: str) -> Terminal:
    """Stderr, which is a terminal from now on. The capture of a test begins after its fixtures, so this is none."""
    stream = Terminal(encoding)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    return stream


def work() -> None:
    with progress.stages("passages") as show:
        show("training", 0, 0)
        show("indexing", 3, 10)
        say("the file a\x1b[2J.txt is skipped")
        print("left out: b.txt", file=MessageStream())
        show("indexing", 2_000, 10_000)


def test_a_log_gets_a_line_a_minute_with_the_rate_of_this_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(0.0, 20.0)  # seconds
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.progress("training", "steps") as show:
        for done in range(1_000, 1_070, 10):  # 1,000 were done by an earlier run
            show(done, 2_000)
    assert capsys.readouterr().err.splitlines() == [
        "training 1,030/2,000 steps · 0.5/s · 32:20 left",
        "training 1,060/2,000 steps · 0.5/s · 31:20 left",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_terminal_has_a_bar_for_each_stage_below_the_messages(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    stream = terminal(monkeypatch, encoding)
    escape_unknown_characters()
    work()
    shown = stream.shown()
    assert "indexing" in shown
    assert "2,000/10,000 passages" in shown
    assert shown.index("the file a") < shown.index("left out: b.txt") < shown.rindex("indexing")
    assert "\x1b[2J" not in shown
    assert shown.rstrip().endswith("\x1b[2K")  # the bars are gone at the end


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_bars_are_coloured_unless_that_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    stream = terminal(monkeypatch, **environment)
    work()
    assert bool(re.search(r"\x1b\[[\d;]*3\dm|\x1b\[38;", stream.shown())) is not bool(environment)


def test_a_terminal_that_cannot_move_its_cursor_gets_the_lines_of_a_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = terminal(monkeypatch, TERM="dumb")
    work()
    assert stream.shown() == "the file a�[2J.txt is skipped\nleft out: b.txt\n"


def test_stdout_is_left_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stream = terminal(monkeypatch)
    with progress.progress("mining", "questions") as show:
        show(1, 2)
        print("a result")
    assert capsys.readouterr().out == "a result\n"
    assert "a result" not in stream.shown()


def test_nothing_is_shown_beside_json(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    with progress.progress("mining", "questions", silent=True) as show:
        show(1, 2)
    assert stream.shown() == ""
