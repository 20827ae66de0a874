"""Pages of the documentation whose commands are run: what they show, and whether it is what was printed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

COMMAND_SECONDS = 300
"""After which a command that hangs is killed."""


def sessions(page: Path, label: str = "") -> list[tuple[str, str]]:
    """Each command of a page, with what it should print.

    Args:
        label: takes the blocks that begin with "```console LABEL" in place of those without one
    """
    opening = re.escape(f"```console {label}".strip())
    blocks = re.findall(rf"^{opening}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    found: list[tuple[str, str]] = []
    for line in "".join(blocks).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        else:
            command, output = found[-1]
            goes_on = not output and re.match(r">( |$)", line)
            found[-1] = (f"{command}\n{line[2:]}", "") if goes_on else (command, f"{output}{line}\n")
    return found


def printed(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> str:
    """All that a command prints, errors with the rest."""
    done = subprocess.run(
        command,
        cwd=directory,
        env={**environment, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=COMMAND_SECONDS,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def matches(expected: str, printed: str) -> bool:
    """Whether a text is as expected; `...` means any characters of one line."""
    pattern = "[^\n]*".join(map(re.escape, expected.split("...")))
    return re.fullmatch(pattern, printed) is not None
