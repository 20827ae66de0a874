"""Pushing vectors to an engine: deletes first, then what is new, and the version that the engine then has last.

What is noted on the way is always true, so stopping a push loses a few thousand rows of it, and a search meanwhile
takes what the engine lacks from the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.collection import Collection, open_writer
from opendpr.collection.labels import labels_of
from opendpr.collection.lookup import count_passages_after, last_number
from opendpr.collection.relabelling import note_relabelling, notes_relabelling, relabelled_since
from opendpr.collection.rows import EncoderRow
from opendpr.engines.engine import Engine, Noted, Rows
from opendpr.errors import StateError
from opendpr.iteration import OnStage
from opendpr.types import Numbers

NOTED_PIECES = 20
"""Pieces of vectors, of a thousand each, between two notes of how far a push has come."""
PUSHED_ROWS = 1_000
"""Relabelled passages sent at once."""


@dataclass(frozen=True)
class Push:
    """What a push did."""

    version: int
    """The version of the collection that the engine has now."""
    removed: int
    pushed: int
    waiting: int
    """Passages that no push takes yet: those from the first one without a vector on."""


def push(
    collection: Collection,
    engine: Engine,
    *,
    wait_seconds: float = 0,
    on_progress: OnStage = lambda what, done, total: None,
) -> Push:
    """Bring an engine up to the collection's newest version.

    Args:
        wait_seconds: how long to wait for a process that writes; the first push of a collection changes it

    Raises:
        UnreachableError: a server does not answer; the same call goes on later.
        BusyError: another process writes the collection, and this is its first push.
        StateError: the collection has no vectors, or was given another model meanwhile.
    """
    if not notes_relabelling(collection):
        with open_writer(collection.directory, wait_seconds=wait_seconds) as writer:
            note_relabelling(writer)
    engine.prepare()
    noted = engine.noted()
    if noted is None or not collection.has_commit(noted.version):
        engine.forget()
        noted = None
    plan = _plan(collection, noted)
    engine.remove(plan.removed)
    for first in range(0, len(plan.relabelled), PUSHED_ROWS):
        engine.put(_rows(collection, *collection.vectors_of(plan.row, plan.relabelled[first : first + PUSHED_ROWS])))
    engine.note(plan.noted)
    pushed = _push_new(collection, engine, plan, on_progress=on_progress)
    on_progress("indexing", 0, 0)
    engine.finish()
    return Push(plan.noted.version.version, len(plan.removed), len(plan.relabelled) + pushed, plan.waiting)


class _Plan(NamedTuple):
    """What a push has to do, read from one state of the collection."""

    row: EncoderRow
    noted: Noted
    """What may be noted once `removed` and `relabelled` are done."""
    removed: Numbers
    relabelled: Numbers
    end: int
    """The last number to push."""
    waiting: int
    """Passages with larger numbers."""


def _plan(collection: Collection, noted: Noted | None) -> _Plan:
    with collection.one_state():
        row, version = collection.require_encoder(), collection.version()
        end, waiting = _end(collection, row)
        if noted is None:
            nothing = np.empty(0, np.int64)
            return _Plan(row, Noted(version, 0), nothing, nothing, end, waiting)
        removed = np.array(collection.deleted_since(noted.version.version), np.int64)
        relabelled = relabelled_since(collection, noted.version.version)
    relabelled = relabelled[relabelled <= noted.last_number]
    return _Plan(row, replace(noted, version=version), removed, relabelled, end, waiting)


def _push_new(collection: Collection, engine: Engine, plan: _Plan, *, on_progress: OnStage) -> int:
    """Push the vectors that the engine does not have; returns how many."""
    noted, pushed, total = plan.noted, 0, collection.count_vectors_after(plan.noted.last_number)
    for place, (numbers, vectors) in enumerate(until(collection.vectors(noted.last_number), plan.end), start=1):
        engine.put(_rows(collection, numbers, vectors))
        pushed += len(numbers)
        noted = replace(noted, last_number=int(numbers[-1]))
        if place % NOTED_PIECES == 0:
            engine.note(noted)
        on_progress("pushing", pushed, total)
    if collection.encoder() != plan.row:
        raise StateError(f"{collection.directory} was given another model meanwhile; push again")
    engine.note(replace(noted, last_number=max(plan.end, noted.last_number)))
    return pushed


def _end(collection: Collection, row: EncoderRow) -> tuple[int, int]:
    """The number up to which all passages have vectors, and how many passages have larger ones."""
    last = last_number(collection)
    missing = next(collection.without_vector(row.encoder), None)
    if missing is None:
        return last, 0
    end = missing[0].number - 1
    return end, count_passages_after(collection, end)


def until(
    pieces: Iterator[tuple[Numbers, NDArray[np.float16]]], end: int
) -> Iterator[tuple[Numbers, NDArray[np.float16]]]:
    """Pieces of numbers (n,) and vectors (n, d), rising, up to a number."""
    for numbers, vectors in pieces:
        kept = int(np.searchsorted(numbers, end, side="right"))
        if kept:
            yield numbers[:kept], vectors[:kept]
        if kept < len(numbers):
            return


def _rows(collection: Collection, numbers: Numbers, vectors: NDArray[np.float16]) -> Rows:
    """Vectors with their labels, without those of passages that were removed meanwhile."""
    labels = labels_of(collection, numbers)
    kept = np.array([number in labels for number in numbers.tolist()], dtype=np.bool_)
    return Rows(numbers[kept], vectors[kept], [labels[number] for number in numbers[kept].tolist()])
