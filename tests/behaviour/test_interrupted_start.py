"""Ctrl-C before a command has begun."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
MODULE, _, FUNCTION = PROJECT["project"]["scripts"]["opendpr"].partition(":")


@pytest.mark.parametrize("imported", ["typer", "logging"])
@pytest.mark.parametrize(
    "start", [("-m", "opendpr"), ("-c", f"from {MODULE} import {FUNCTION}; {FUNCTION}()")], ids=["module", "script"]
)
def test_an_interrupt_while_packages_are_imported_shows_no_traceback(
    start: tuple[str, str], imported: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / f"{imported}.py").write_text("raise KeyboardInterrupt\n")  # what Ctrl-C raises at this moment
    path = f"{tmp_path}:{environment.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [sys.executable, *start, "--help"],
        env=environment | {"PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr == "opendpr: interrupted; what was done is kept\n"
