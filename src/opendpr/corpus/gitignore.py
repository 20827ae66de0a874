"""What `.gitignore` files leave out, by git's own rules (git help gitignore)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GITIGNORE = ".gitignore"
RULE_BYTES = 1_000_000
"""How much of one file is read."""
MOST_STARS = 8
"""In one pattern; a pattern with more could take for ever, and is passed over."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: what it matches below the folder whose file it is in.

    `below` and `inside` are those of `rules_in`.
    """

    below: str
    inside: str
    pattern: re.Pattern[str]
    negated: bool
    folders_only: bool


def is_left_out(rules: Sequence[Rule], name: str, *, is_folder: bool) -> bool:
    """Whether the last rule that matches a relative POSIX path leaves it out."""
    for rule in reversed(rules):
        applies = (is_folder or not rule.folders_only) and name.startswith(rule.below)
        if applies and rule.pattern.fullmatch(rule.inside + name[len(rule.below) :]):
            return not rule.negated
    return False


def rules_above(directory: Path) -> list[Rule]:
    """Rules of the folders above a directory that lies inside a git repository; patterns count from the directory."""
    rules: list[Rule] = []
    directory = Path(os.path.abspath(directory))
    for parent in directory.parents if not (directory / ".git").exists() else ():
        prefix = f"{directory.relative_to(parent).as_posix()}/"
        rules = [*rules_in(parent, "", inside=prefix), *rules]
        if (parent / ".git").exists():
            return rules
    return []


def rules_in(directory: Path, below: str, inside: str = "") -> list[Rule]:
    """The rules of a directory's own file; empty if it cannot be read.

    Args:
        below: the directory's path in the walk, empty or with a slash at its end
        inside: what paths of the walk begin with as this file sees them
    """
    try:
        with (directory / GITIGNORE).open("rb") as file:
            lines = file.read(RULE_BYTES).decode("utf-8-sig", "replace").splitlines()
    except OSError:
        return []
    return [rule for line in lines if (rule := parsed(line, below, inside)) is not None]


def parsed(line: str, below: str, inside: str = "") -> Rule | None:
    """The rule of a line; None for an empty one, a comment, or one that means nothing."""
    line = re.sub(r"(?<!\\) +$", "", line)
    if not line or line.startswith("#") or line.count("*") > MOST_STARS:
        return None
    negated = line.startswith("!")
    line = line[1:] if negated or line.startswith("\\") else line
    folders_only = line.endswith("/")
    line = line.rstrip("/")
    anchored = "/" in line
    expression = translated(line.lstrip("/"))
    if not anchored:
        expression = f"(?:.*/)?{expression}"
    try:
        return Rule(below, inside, re.compile(expression, re.S), negated, folders_only) if line else None
    except re.error:
        return None


def translated(pattern: str) -> str:
    """A pattern of git as a regular expression."""
    expression, at = "", 0
    for match in re.finditer(r"\*\*/|/\*\*$|\*+|\?|\[(!?)((?:\\.|[^\]\\]|(?<=\[)\])+)\]|\\(.)", pattern):
        expression += re.escape(pattern[at : match.start()])
        at = match.end()
        token = match[0]
        if token == "**/":
            expression += "(?:.*/)?"
        elif token == "/**":
            expression += "/.*"
        elif token.startswith("*"):
            expression += "[^/]*"
        elif token == "?":
            expression += "[^/]"
        elif match[3]:
            expression += re.escape(match[3])
        else:
            expression += f"[{'^' if match[1] else ''}{match[2]}]"
    return expression + re.escape(pattern[at:])
