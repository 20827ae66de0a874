"""Questions that a person types, or that come through a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from opendpr.errors import UsageError

LEAVING_WORDS = frozenset(("quit", "exit", "q"))
"""What ends a prompt, as an empty line does."""


def joined_question(words: Sequence[str]) -> str:
    """The question that was given as words, with or without quotes.

    Raises:
        UsageError: more than one word, and the first is a file: a second place to ask rather than a question.
    """
    first = Path(words[0])
    if len(words) > 1 and first.suffix and first.exists():
        raise UsageError(
            f"'{first}' is a file, and one place can be asked: a folder that holds the files, or what "
            "'opendpr add NAME FILE...' makes of them; a question that begins so goes in quotes"
        )
    return " ".join(words)


def typed_questions() -> Iterator[str]:
    """The lines of standard input that say something, without the mark that a file from Windows begins with."""
    for line in sys.stdin:
        if question := line.strip().removeprefix("\ufeff").strip():
            yield question


def prompted_questions() -> Iterator[str]:
    """The lines typed at a prompt, until one is empty or says that it is the last."""
    with suppress(ModuleNotFoundError):
        import readline  # noqa: F401  # makes input() editable
    while (question := _line("? ")) and question.lower() not in LEAVING_WORDS:
        yield question


def _line(prompt: str) -> str:
    """The next typed line; empty at the end of the input."""
    try:
        return input(prompt).strip()
    except EOFError:
        return ""
