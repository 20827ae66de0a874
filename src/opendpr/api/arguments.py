"""Arguments that several calls take, checked: what was expected and what was given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from opendpr.choices import RETRIEVERS
from opendpr.errors import UsageError

Several: TypeAlias = list[str] | tuple[str, ...]
"""Several questions; a `Sequence[str]` would be a string, too."""


def check_retriever(retriever: str) -> None:
    """Raises UsageError if there is no such retriever."""
    if retriever not in RETRIEVERS:
        raise UsageError(f"retriever must be one of {', '.join(RETRIEVERS)}, got {retriever!r}")


def check_k(k: object) -> None:
    """Raises UsageError if k is no number of passages."""
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise UsageError(f"k must be a whole number from 1, got {k!r}")


def strings(questions: Several) -> list[str]:
    """Several questions, each a string.

    Raises:
        TypeError: one is not.
    """
    several = list(questions) if isinstance(questions, Iterable) else [questions]
    for question in several:
        if not isinstance(question, str):
            raise TypeError(f"expected questions as strings, got {type(question).__name__}: {question!r}")
    return several
