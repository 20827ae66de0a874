"""The line of progress, where stderr is a log."""

from __future__ import annotations

from itertools import count

import pytest

from opendpr.cli import output


def test_a_log_gets_a_line_a_minute_with_the_rate_of_this_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(0.0, 20.0)  # seconds
    monkeypatch.setattr(output.time, "monotonic", lambda: next(clock))
    with output.progress("training", "steps") as show:
        for done in range(1_000, 1_080, 10):  # 1,000 were done by an earlier run
            show(done, 2_000)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "training 1,020/2,000 steps · 0.5/s · 32:40 left",
        "training 1,050/2,000 steps · 0.5/s · 31:40 left",
    ]


def test_a_terminal_shows_what_is_done_before_there_is_a_rate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output.sys.stderr, "isatty", lambda: True, raising=False)
    with output.stages("passages") as show:
        show("training", 0, 0)
        show("indexing", 0, 10)
    assert capsys.readouterr().err == "\r\x1b[Ktraining …\r\x1b[K\r\x1b[Kindexing …\r\x1b[K"
