"""Whether an engine holds what it should, and how much of the best it finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from opendpr.collection import Collection
from opendpr.collection.labels import labels_of
from opendpr.collection.lookup import last_number
from opendpr.collection.relabelling import relabelled_since
from opendpr.engines.engine import Engine, Noted, Rows
from opendpr.errors import StateError
from opendpr.iteration import OnStage
from opendpr.maintenance.push import until
from opendpr.search.engine_index import EngineIndex
from opendpr.search.recall import Ask, best_scores, recalls
from opendpr.search.settings import EngineSettings
from opendpr.search.stored import RemovedError
from opendpr.types import Neighbours, Numbers

RECALL_QUESTIONS = 500
"""Questions by which recall is measured."""
RECALL_DEPTHS = (20, 100)
BATCH_QUESTIONS = 16
"""Questions whose candidates are asked for at once."""
RECALL_SEED = 1
LARGEST_NUMBER = 2**63 - 1
"""The largest number that SQLite stores."""


@dataclass
class Differences:
    """Passages in which an engine and the collection do not agree."""

    compared: int = 0
    missing: list[int] = field(default_factory=list)
    """Numbers that only the collection has."""
    extra: list[int] = field(default_factory=list)
    """Numbers that only the engine has."""
    different: list[int] = field(default_factory=list)
    """Numbers whose vectors or labels differ."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.different)

    def __str__(self) -> str:
        kinds = {"missing": self.missing, "too many": self.extra, "different": self.different}
        return ", ".join(f"{len(numbers):,} {kind} (first {numbers[0]})" for kind, numbers in kinds.items() if numbers)


def compare(
    collection: Collection, engine: Engine, on_progress: OnStage = lambda what, done, total: None
) -> Differences:
    """Compare every number, vector and label of an engine with the collection's, up to the version that it has noted.

    Raises:
        StateError: it has noted none.
    """
    noted = engine.noted()
    if noted is None:
        raise StateError(f"{engine.name} has nothing of {collection.directory} to compare; push first")
    differences, after, total = Differences(), 0, collection.count_passages()
    for numbers, vectors in until(collection.vectors(), noted.last_number):
        labels = labels_of(collection, numbers)
        rows = Rows(numbers, vectors, [labels.get(number, {}) for number in numbers.tolist()])
        _compare(rows, engine.rows(after, int(numbers[-1])), differences)
        differences.compared, after = differences.compared + len(numbers), int(numbers[-1])
        on_progress("comparing", differences.compared, total)
    differences.extra += engine.rows(after, LARGEST_NUMBER).numbers.tolist()
    return _without_later_changes(collection, noted, differences)


def _compare(expected: Rows, held: Rows, differences: Differences) -> None:
    both = np.intersect1d(expected.numbers, held.numbers)
    differences.missing += np.setdiff1d(expected.numbers, both).tolist()
    differences.extra += np.setdiff1d(held.numbers, both).tolist()
    here, there = np.searchsorted(expected.numbers, both), np.searchsorted(held.numbers, both)
    same = (expected.vectors[here].view(np.uint16) == held.vectors[there].view(np.uint16)).all(axis=1)
    for number, place, other, equal in zip(both.tolist(), here.tolist(), there.tolist(), same.tolist(), strict=True):
        if not equal or expected.labels[place] != held.labels[other]:
            differences.different.append(number)


def _without_later_changes(collection: Collection, noted: Noted, differences: Differences) -> Differences:
    """Leave out what changed in the collection after the version noted: the next push brings it."""
    removed = collection.deleted_since(noted.version.version)
    relabelled = relabelled_since(collection, noted.version.version).tolist()
    newer = {*removed, *range(noted.last_number + 1, last_number(collection) + 1)}
    return Differences(
        differences.compared,
        sorted(set(differences.missing) - newer),
        sorted(set(differences.extra) - newer),
        sorted(set(differences.different) - {*removed, *relabelled}),
    )


def note_recall(
    collection: Collection, engine: Engine, ask: Ask | None, *, on_progress: OnStage = lambda what, done, total: None
) -> Mapping[str, float]:
    """Measure the recall of a search through an engine, and let the engine note it; see `measure_recall`.

    Raises:
        StateError: the collection has no passages, or was changed meanwhile.
    """
    index = EngineIndex(collection, EngineSettings(engine.name), engine)
    try:
        recall = measure_recall(collection, index, ask, on_progress=on_progress)
    except RemovedError:
        raise StateError(
            f"{collection.directory} or {engine.name} was changed while recall was measured; what was pushed is there: "
            "run the same command again once nothing else writes"
        ) from None
    noted = engine.noted()
    if noted is not None:
        engine.note(replace(noted, recall=recall))
    return recall


def measure_recall(
    collection: Collection,
    index: EngineIndex,
    ask: Ask | None,
    *,
    on_progress: OnStage = lambda what, done, total: None,
) -> dict[str, float]:
    """Return by depth the share of the best passages that a search through an engine finds, as `recalls` measures it.

    Args:
        ask: makes the questions; None if passages' own vectors serve, which lie nearer to each other than questions do

    Raises:
        RemovedError: the collection, or what the engine holds of it, has changed since the index was opened.
        StateError: the collection has no passages.
    """
    numbers, stored = _sample(collection, index)
    with collection.one_state():
        index.refuse_change()
        questions = ask(numbers) if ask else stored.astype(np.float32)
        best = best_scores(
            questions,
            numbers,
            pieces=_shown(collection),
            k=max(RECALL_DEPTHS),
            count=collection.count_vectors_after(0),
            on_progress=on_progress,
        )
    on_progress("searching the engine", 0, 0)
    batches = range(0, len(questions), BATCH_QUESTIONS)
    found = [index.search(questions[at : at + BATCH_QUESTIONS], max(RECALL_DEPTHS) + 1) for at in batches]
    nearest = Neighbours(*map(np.vstack, zip(*found, strict=True)))
    measured = recalls(nearest, numbers, best=best, depths=RECALL_DEPTHS)
    return {str(depth): round(share, 4) for depth, share in measured.items()}


def _shown(collection: Collection) -> Iterator[tuple[Numbers, NDArray[np.float16]]]:
    """Numbers and vectors of the passages that a search may find, in pieces."""
    hidden = collection.hidden()
    for numbers, vectors in collection.vectors():
        kept = ~np.isin(numbers, hidden)
        yield numbers[kept], vectors[kept]


def _sample(collection: Collection, index: EngineIndex) -> tuple[Numbers, NDArray[np.float16]]:
    """Passages chosen at random, rising, and their vectors."""
    generator, last = np.random.default_rng(RECALL_SEED), last_number(collection)
    drawn = generator.integers(1, last + 1, 4 * RECALL_QUESTIONS) if last else np.empty(0, np.int64)
    numbers, vectors = collection.vectors_of(index.row, drawn)
    if not len(numbers):
        raise StateError(f"{collection.directory} has no passages to make questions of; add documents first")
    kept = np.sort(generator.choice(len(numbers), min(RECALL_QUESTIONS, len(numbers)), replace=False))
    return numbers[kept], vectors[kept]
