"""What an engine is asked: to hold the vectors of a collection, and to find candidates among them.

The collection stays the truth. An engine's scores choose candidates and are then forgotten, and all that it holds can
be pushed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from opendpr.collection.filters import Where
from opendpr.collection.labels import Labels
from opendpr.collection.rows import Version
from opendpr.errors import BusyError
from opendpr.types import Numbers, Vectors

INDEXED_VECTORS = 50_000
"""A server with this many vectors, or more, gets an HNSW index; fewer are all compared."""
HNSW_FACTOR = 2
"""Candidates for each passage wanted where HNSW finds them: their order is that of 16-bit numbers."""


class UnreachableError(BusyError):
    """A server that holds a share of the vectors does not answer."""


class InexpressibleError(Exception):
    """A filter says something that an engine's language cannot."""


class VectorSet(NamedTuple):
    """Which vectors: those of one collection by one encoder."""

    collection_id: str
    fingerprint: str
    dim: int


def set_name(collection_id: str, fingerprint: str) -> str:
    """The name under which an engine holds a vector set."""
    return f"opendpr_{hashlib.sha256(f'{collection_id} {fingerprint}'.encode()).hexdigest()[:32]}"


@dataclass(frozen=True)
class Noted:
    """What an engine has noted of a collection: it holds the vectors that were there in that version."""

    version: Version
    last_number: int
    """All vectors up to this number; larger ones may be missing."""
    recall: Mapping[str, float] | None = None
    """The share of the best passages that it found when it was measured last, by depth."""
    indexed: bool = False
    """Whether it searches by an approximate index."""


class Candidates(NamedTuple):
    """What an engine found."""

    numbers: Numbers
    """(Q, c), best first, padded with -1 where it has no more."""
    noted: Noted | None
    """What it has noted, read after the search; None if nothing, or another collection's."""
    missing: tuple[str, ...]
    """Servers that did not answer."""


class Rows(NamedTuple):
    """Some of what an engine holds."""

    numbers: Numbers
    """(n,), rising"""
    vectors: NDArray[np.float16]
    """(n, d)"""
    labels: Sequence[Labels]
    """(n,) what filters compare."""


class Engine(Protocol):
    """A server, or several with a share each, that holds a vector set.

    Every method raises UnreachableError if a server does not answer.
    """

    @property
    def name(self) -> str:
        """Its address; no secret is in it."""
        ...

    def noted(self) -> Noted | None:
        """What it has noted; None if the vector set is not there."""
        ...

    def candidates(self, vectors: Vectors, k: int, where: Where | None, *, allow_partial: bool) -> Candidates:
        """The k best or more, or about, for each row of `vectors` (Q, d), of documents that meet `where`.

        Args:
            allow_partial: servers that do not answer are passed over

        Raises:
            InexpressibleError: the filter needs what the engine's language lacks.
        """
        ...

    def prepare(self) -> None:
        """Make room for the vector set, if that is not there, and keep other pushes away until `close`."""
        ...

    def forget(self) -> None:
        """Remove all vectors of the set, and what is noted of them."""
        ...

    def remove(self, numbers: Numbers) -> None:
        """Remove vectors; a number that is not there is no error."""
        ...

    def put(self, rows: Rows) -> None:
        """Store vectors with their labels, in place of those of the same numbers."""
        ...

    def note(self, noted: Noted) -> None:
        """Note what is there, once it is safe."""
        ...

    def finish(self) -> None:
        """After all vectors: build the index where there are many, drop the collection's other vector sets."""
        ...

    def rows(self, after: int, until: int) -> Rows:
        """All that it holds of the numbers from `after + 1` to `until`."""
        ...

    def close(self) -> None: ...
