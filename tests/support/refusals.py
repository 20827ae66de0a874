"""Commands that are refused: what they say, permissions that are taken away, and a collection to try it on."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

QUESTION = "Who wrote the letter?"


def make_letters(folder: Path, model: Path) -> Path:
    """A collection of two documents."""
    (folder / "docs").mkdir()
    (folder / "docs" / "letter.txt").write_text("The letter was written by Anna. " * 20, encoding="utf-8")
    (folder / "docs" / "answer.md").write_text("# The answer\n\nBerta answered in May.\n", encoding="utf-8")
    arguments = ["add", folder / "notes", folder / "docs", "--model", model, "--words", "20"]
    subprocess.run([sys.executable, "-m", "opendpr", *map(str, arguments)], check=True, capture_output=True)
    return folder / "notes"


def refused(result: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    """The command left with this code and a message for people, not for programmers."""
    assert "Traceback" not in result.stderr
    assert result.returncode == code, result.stderr
    assert result.stderr.strip()
    for part in parts:
        assert part in result.stderr


def without_root_privileges() -> None:
    """In the process to be: permissions bind root too."""
    if os.geteuid() == 0:
        drop_from_bounding_set = 24
        for capability in range(5):  # changing owners, reading and writing what others forbid
            ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0)


@pytest.fixture
def forbid() -> Iterator[Callable[[Path, int], None]]:
    """Changes permissions until the end of the test."""
    changed: list[tuple[Path, int]] = []

    def forbid(path: Path, mode: int) -> None:
        changed.append((path, path.stat().st_mode))
        path.chmod(mode)

    yield forbid
    for path, mode in reversed(changed):
        path.chmod(mode)
