"""Pages are walked as they stand: their commands, in order, print what the page says they print."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from command_line import run_in_process
from pages import matches, printed, sessions

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def shell(tmp_path, environment):
    """Runs a command as the guide's reader would, in a directory of its own; returns all that is printed."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, arguments in (("opendpr", "-m opendpr "), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}"$@"\n')
        (programs / name).chmod(0o755)
    (tmp_path / "home").mkdir()
    settings = {**environment, "PATH": f"{programs}{os.pathsep}{environment['PATH']}", "LC_ALL": "C.UTF-8"}

    def shell(command: str) -> str:
        if is_opendpr_alone(command):
            arguments = shlex.split(command)[1:]
            return run_in_process(arguments, environment=settings, cwd=tmp_path / "home", merged=True).stdout
        return printed(["bash", "-c", command], tmp_path / "home", settings)

    return shell


def is_opendpr_alone(command: str) -> bool:
    """Whether a line is one command of opendpr that asks nothing of the shell but quotes."""
    words = list(shlex.shlex(command, posix=True, punctuation_chars=True))
    return words[0] == "opendpr" and "$" not in command and not any(set(word) <= set("();<>|&") for word in words)


@pytest.mark.parametrize("page", ["guide.md", "scale.md"])
def test_the_commands_of_a_page_print_what_it_says(shell, page):
    for command, expected in sessions(DOCS / page):
        printed = shell(command)
        assert matches(expected, printed), f"$ {command}\n{printed}\n--- where the page says\n{expected}"


def test_a_line_that_differs_is_noticed():
    assert matches("a ... c\n", "a bb c\n")
    assert not matches("a ... c\n", "a bb d\n")
    assert not matches("a ... c\n", "a b\n c\n")
    assert not matches("", "a\n")
