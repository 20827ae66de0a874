"""Arguments that several calls take, checked: what was expected and what was given."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeAlias, get_args

from opendpr.choices import MOST_PASSAGES, RETRIEVERS, IndexName
from opendpr.errors import UsageError
from opendpr.model.runtime import RuntimeSettings

Several: TypeAlias = list[str] | tuple[str, ...]
"""Several questions; a `Sequence[str]` would be a string, too."""


def check_retriever(retriever: str) -> None:
    """Raises UsageError if there is no such retriever."""
    if retriever not in RETRIEVERS:
        raise UsageError(f"retriever must be one of {', '.join(RETRIEVERS)}, got {retriever!r}")


def check_k(k: object, name: str = "k") -> None:
    """Raises UsageError if k is not a number of passages."""
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MOST_PASSAGES:
        raise UsageError(f"{name} must be a whole number from 1 to {MOST_PASSAGES:,}, got {k!r}")


def depths(k: int | Sequence[int], name: str) -> tuple[int, ...]:
    """One number of passages, or several, each checked.

    Raises:
        UsageError: one of them is not a number of passages.
    """
    several = tuple(k) if isinstance(k, Iterable) else (k,)
    for depth in several:
        check_k(depth, name)
    return several


def check_where(where: object) -> None:
    """Raises UsageError if a filter is not text."""
    if where is not None and not isinstance(where, str):
        raise UsageError(f'where must be a string, as "year >= 2019", or None, got {where!r}')


def check_runtime(runtime: object) -> None:
    """Raises UsageError if these are not settings of a runtime."""
    if not isinstance(runtime, RuntimeSettings):
        raise UsageError(f"runtime must be opendpr.RuntimeSettings, as RuntimeSettings(device='cpu'), got {runtime!r}")


def model_name(model: object) -> str:
    """The name or directory of a model as text.

    Raises:
        UsageError: it is neither.
    """
    if not isinstance(model, str | os.PathLike):
        raise UsageError(f"model must be a name or a directory, got {model!r}")
    return os.fspath(model)


def check_index(index: object, recall: float) -> None:
    """Raises UsageError if there is no such index, or it cannot be built for that recall."""
    if index not in get_args(IndexName):
        raise UsageError(f"index must be one of {', '.join(get_args(IndexName))}, got {index!r}")
    if not 0.1 <= recall <= 1.0:
        raise UsageError(f"recall must be from 0.1 to 1, got {recall!r}")


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
