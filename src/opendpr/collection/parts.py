"""What is read from each part of a collection, joined: a plain collection is its only part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import numpy as np

from opendpr.collection.collection import Collection
from opendpr.collection.members import of_each
from opendpr.types import Numbers

if TYPE_CHECKING:
    from opendpr.collection.writer import Writer

Item = TypeVar("Item")
Key = TypeVar("Key", str, int)
Reads = TypeVar("Reads", bound=Callable[..., Any])


def joined(join: Callable[[list[Any]], Any]) -> Callable[[Reads], Reads]:
    """Let a function that reads one collection, its first argument, read a set too.

    Args:
        join: makes one result of those of the members, which come in the order of the members
    """

    def decorate(read: Reads) -> Reads:
        @wraps(read)
        def read_all(collection: Collection, *args: object, **options: object) -> object:
            if collection.parts == (collection,):
                return read(collection, *args, **options)
            return join(of_each(collection.parts, read_all, *args, **options))

        return cast(Reads, read_all)

    return decorate


def in_order(lists: Iterable[Sequence[Item]]) -> list[Item]:
    """All items, sorted."""
    return sorted(chain.from_iterable(lists))  # type: ignore[type-var]  # ids and numbers alone are listed


def union(mappings: Iterable[dict[Key, Item]]) -> dict[Key, Item]:
    """All entries: no id or number is in two members."""
    return {key: value for mapping in mappings for key, value in mapping.items()}


def rising(pieces: Iterable[Numbers]) -> Numbers:
    """All numbers (n,), rising."""
    return np.sort(np.concatenate(list(pieces)))


@overload
def by_part(
    collection: Writer, items: Iterable[Item], id_of: Callable[[Item], str]
) -> list[tuple[Writer, list[Item]]]: ...


@overload
def by_part(
    collection: Collection, items: Iterable[Item], id_of: Callable[[Item], str]
) -> list[tuple[Collection, list[Item]]]: ...


def by_part(
    collection: Collection, items: Iterable[Item], id_of: Callable[[Item], str]
) -> Sequence[tuple[Collection, list[Item]]]:
    """Items by the part that the document they are about belongs to, each in their order; parts without any left out.

    Args:
        id_of: returns the id of that document
    """
    grouped: dict[Collection, list[Item]] = {}
    for item in items:
        grouped.setdefault(collection.part_of(id_of(item)), []).append(item)
    return list(grouped.items())
