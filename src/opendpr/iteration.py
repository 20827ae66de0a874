"""Iteration that `itertools` of Python 3.11 lacks, and how progress is reported to those who wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

OnProgress = Callable[[int, int], None]
"""Called with how much is done and how much there is to do in all; what it raises ends the work."""

OnStage = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is to do (0 where that is not known)."""


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
