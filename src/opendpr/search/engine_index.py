"""Search with candidates from an engine: everything that is shown is read and computed from the collection."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from opendpr.collection import Collection
from opendpr.collection.filters import Where
from opendpr.collection.relabelling import notes_relabelling, relabelled_since
from opendpr.collection.rows import EncoderRow
from opendpr.collection.selection import matching, matching_of
from opendpr.collection.where import condition_of
from opendpr.engines.engine import Engine, InexpressibleError, Noted, VectorSet
from opendpr.engines.opening import open_engine
from opendpr.errors import StateError, UsageError
from opendpr.search.exact import SCORE_ROUNDING, ExactIndex, top
from opendpr.search.products import products
from opendpr.search.settings import EngineSettings
from opendpr.search.stored import RemovedError
from opendpr.types import Neighbours, Numbers, Scores, Vectors

logger = logging.getLogger(__name__)


class EngineIndex:
    """The vectors of one encoder: those of an engine, and those that it does not have yet, which are all scanned.

    Candidates come from the engine. Their vectors, and so their scores, come from the collection, as does whether they
    are still there and meet the filter.
    """

    def __init__(self, collection: Collection, settings: EngineSettings, engine: Engine | None = None) -> None:
        """Read what the engine lacks.

        Args:
            engine: opened by an earlier index of the same collection and encoder

        Raises:
            StateError: the collection was not pushed to this engine, or too little of it.
            UnreachableError: a server does not answer.
        """
        self._collection, self._settings = collection, settings
        self.missing: tuple[str, ...] = ()
        self.row = collection.require_encoder()
        self.engine = engine or open_engine(settings.address, vector_set(collection, self.row))
        self._noted = self._checked(self._read_note())
        with collection.one_state():
            self._version = collection.version()
            removed, hidden = collection.deleted_since(self._noted.version.version), collection.hidden()
            lacking = collection.count_vectors_after(self._noted.last_number)
            relabelled = self._relabelled()
        if lacking > settings.scanned_vectors:
            raise StateError(
                f"{self.engine.name} lacks {lacking:,} vectors of {collection.directory}, more than are scanned in its "
                f"place; {self._advice}"
            )
        if lacking + len(relabelled) > settings.warned_vectors:
            logger.warning("%s lacks %d vectors, each of which is scanned; %s", self.engine.name, lacking, self._advice)
        self._hidden = np.sort(hidden)
        self._not_from_engine = np.unique(np.concatenate([np.array(removed, np.int64), hidden, relabelled]))
        pieces = [collection.vectors_of(self.row, np.setdiff1d(relabelled, hidden))]
        pieces += [
            (numbers[kept], vectors[kept])
            for numbers, vectors in collection.vectors(self._noted.last_number)
            if (kept := ~np.isin(numbers, hidden)).any()
        ]
        self._newer = ExactIndex.gather(pieces, sum(len(numbers) for numbers, _ in pieces), self.row.dim)

    @property
    def dim(self) -> int:
        return self.row.dim

    def search(self, vectors: Vectors, k: int, where: Where | None = None) -> Neighbours:
        """About the k largest inner products for each row of `vectors` (Q, d), of documents that meet `where`.

        Raises:
            RemovedError: the collection, or what the engine holds of it, has changed since it was read.
            UnreachableError: a server does not answer, and that is not allowed.
            UsageError: the engine cannot apply the filter, and too many passages meet it to be named.
        """
        self._collection.refuse_fork()
        try:
            best = self._search(vectors, k, where)
        except InexpressibleError as error:
            assert where is not None, "there is a filter that cannot be expressed"
            best = self._search_named(vectors, k, where, str(error))
        self.refuse_change()
        return best

    def refuse_change(self) -> None:
        """Raises RemovedError: the collection has changed since it was read."""
        if self._collection.version() != self._version:
            raise RemovedError

    def _search(self, vectors: Vectors, k: int, where: Where | None) -> Neighbours:
        shape, missing, partial = (len(vectors), k), set[str](), self._settings.allow_partial
        best = Neighbours(np.full(shape, -np.inf, dtype=np.float32), np.full(shape, -1, dtype=np.int64))
        unsettled, wanted = np.arange(len(vectors)), k + self._settings.tie_vectors
        while len(unsettled):
            candidates = self.engine.candidates(vectors[unsettled], wanted, where, allow_partial=partial)
            if candidates.noted != self._noted:
                raise RemovedError
            missing.update(candidates.missing)
            ranked, last = self._ranked(vectors[unsettled], candidates.numbers, k, where)
            best.scores[unsettled], best.numbers[unsettled] = ranked
            exhausted = (candidates.numbers[:, -1] < 0) | (candidates.numbers.shape[1] < wanted)
            # One that was not fetched may round to a better score than the last one wanted.
            close = ranked.scores[:, -1] <= last + SCORE_ROUNDING * np.abs(last)
            unsettled = unsettled[close & ~exhausted]
            wanted *= self._settings.more_factor
        for server in missing - set(self.missing):
            logger.warning("%s does not answer: its share of the passages cannot be found", server)
        self.missing = tuple(sorted(missing))
        return best

    def _search_named(self, vectors: Vectors, k: int, where: Where, lacking: str) -> Neighbours:
        """The same among passages that the collection names, because the engine cannot."""
        numbers = np.setdiff1d(matching(self._collection, condition_of(where)), self._hidden)
        if len(numbers) > self._settings.named_passages:
            raise UsageError(
                f"{self.engine.name} has no {lacking!r} as filters have it; {len(numbers):,} passages meet this one, "
                f"and up to {self._settings.named_passages:,} could be named instead; write it otherwise"
            )
        return ExactIndex(*self._collection.vectors_of(self.row, numbers)).search(vectors, k)

    def score(self, vector: Vectors, numbers: Numbers) -> Scores:
        """(n,) inner products of one vector (d,) with the numbered ones; `-inf` for a number unknown or removed."""
        there, stored = self._collection.vectors_of(self.row, np.setdiff1d(numbers, self._hidden))
        return ExactIndex(there, stored).score(vector, numbers)

    def summary(self) -> dict[str, Any]:
        """What the engine has, and how many of its passages are not the newest."""
        return {
            "engine": self.engine.name,
            "version": self._noted.version.version,
            "recall": self._noted.recall,
            "approximate": self._noted.indexed,
            "behind": len(self._newer),
            "outdated": len(self._not_from_engine),
        }

    def _ranked(self, vectors: Vectors, candidates: Numbers, k: int, where: Where | None) -> tuple[Neighbours, Scores]:
        """The k best of candidates (Q, c) and of what is newer, by the vectors of the collection.

        Returns:
            They, and the lowest score (Q,) of a candidate.
        """
        shown = np.setdiff1d(candidates[candidates >= 0], self._not_from_engine)
        newer = None
        if where is not None:
            condition = condition_of(where)
            shown = matching_of(self._collection, condition, shown)
            newer = matching_of(self._collection, condition, self._newer.numbers)
        shown, stored = self._collection.vectors_of(self.row, shown)
        wide, scanned = stored.astype(np.float32), self._newer.search(vectors, k, newer)
        shape = len(vectors), candidates.shape[1] + k
        scores, numbers = np.full(shape, -np.inf, dtype=np.float32), np.full(shape, -1, dtype=np.int64)
        scores[:, -k:], numbers[:, -k:] = scanned
        last = np.full(len(vectors), -np.inf, dtype=np.float32)
        for place, (vector, row) in enumerate(zip(vectors, candidates, strict=True)):
            own = np.flatnonzero(np.isin(shown, row) & ~np.isin(shown, scanned.numbers[place]))
            scores[place, : len(own)], numbers[place, : len(own)] = products(wide[own], vector), shown[own]
            last[place] = scores[place, : len(own)].min(initial=np.inf)
        return top(scores, numbers, k), last

    def _read_note(self) -> Noted | None:
        """What is noted; with a server missing that is what the others have noted."""
        if not self._settings.allow_partial:
            return self.engine.noted()
        nothing = np.empty((0, self.row.dim), np.float32)
        return self.engine.candidates(nothing, 1, None, allow_partial=True).noted

    def _checked(self, noted: Noted | None) -> Noted:
        directory = self._collection.directory
        if noted is None:
            raise StateError(f"{self.engine.name} has no vectors of {directory} by its model; {self._advice}")
        if not self._collection.has_commit(noted.version):
            raise StateError(f"{self.engine.name} holds another state of {directory} than it ever had; {self._advice}")
        return noted

    def _relabelled(self) -> Numbers:
        if not notes_relabelling(self._collection):
            return np.empty(0, np.int64)
        relabelled = relabelled_since(self._collection, self._noted.version.version)
        return relabelled[relabelled <= self._noted.last_number]

    @property
    def _advice(self) -> str:
        return f"run 'opendpr push {self._collection.directory} {self._settings.address}'"


def vector_set(collection: Collection, row: EncoderRow) -> VectorSet:
    """What an engine holds for a collection and an encoder."""
    return VectorSet(collection.id, row.fingerprint, row.dim)


def engine_summary(collection: Collection, address: str) -> dict[str, Any]:
    """What an engine has of a collection, and how far it is behind.

    Raises:
        StateError: it was not pushed to this engine.
    """
    index = EngineIndex(collection, EngineSettings(address))
    return index.summary()
