"""A command that the tests run in their own process prints and returns what a process does."""

from __future__ import annotations

import logging
import os
import signal
import sys

import pytest


@pytest.fixture
def notes(run, tmp_path, tiny_model):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "river.txt").write_text("The letter was written near the river.\n", encoding="utf-8")
    assert run("add", "notes", "docs", "-m", tiny_model, cwd=tmp_path).returncode == 0
    return tmp_path / "notes"


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (["--version"], {}),
        ([], {}),
        (["ask", "--help"], {}),
        (["ask", "--no-such-option"], {}),
        (["info", "nowhere"], {}),
        (["list", "notes", "--json"], {}),
        (["search", "notes", "letter", "--json"], {}),
        (["ask", "notes", "-"], {"input": "Who wrote the letter?\n\nWhere is the river?\r\n"}),
        (["add", "notes", "-"], {"input": "{}"}),
    ],
)
def test_a_command_says_the_same_in_this_process_and_in_one_of_its_own(run, run_process, notes, arguments, keywords):
    here = run(*arguments, cwd=notes.parent, **keywords)
    there = run_process(*arguments, cwd=notes.parent, **keywords)
    assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)


def test_a_command_leaves_nothing_behind_in_this_process(run, tmp_path):
    def state():
        log = logging.getLogger()
        streams = sys.stdin, sys.stdout, sys.stderr
        return dict(os.environ), os.getcwd(), sys.argv, streams, signal.getsignal(signal.SIGINT), log.level

    before = state()
    assert run("info", "nowhere", cwd=tmp_path).returncode == 4
    assert state() == before
