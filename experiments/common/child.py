"""A child process that stays loaded: a line of JSON from it for each line that it is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from experiments.common.command import ROOT

OFFLINE_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "HAYSTACK_TELEMETRY_ENABLED": "False"}
"""Nothing is looked for beyond the machine."""


class Child:
    """A module of the experiments in a process of its own.

    Args:
        arguments: the module and what it takes
        python: interpreter, perhaps of another environment
    """

    def __init__(self, arguments: Sequence[str], python: str = sys.executable) -> None:
        self._process = subprocess.Popen(
            [python, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **OFFLINE_ENVIRONMENT},
        )

    def answer(self) -> dict[str, Any]:
        """The next line of JSON; what libraries print is passed over."""
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        raise SystemExit("a child process ended; its message is above")

    def ask(self, line: str = "") -> dict[str, Any]:
        """What it answers to a line."""
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
