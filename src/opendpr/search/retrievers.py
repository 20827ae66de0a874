"""Finding passages for questions: dense, BM25, and both together (paper section 5)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from opendpr.choices import RETRIEVERS
from opendpr.collection import Collection
from opendpr.collection.filters import parse_where
from opendpr.collection.selection import matching
from opendpr.collection.where import compile_where
from opendpr.collection.writer import refuse_other_encoder
from opendpr.engines.engine import Engine
from opendpr.errors import BusyError, StateError, UsageError
from opendpr.model.encoder import BertEncoder
from opendpr.protocols import Encoder, Retriever, TextIndex
from opendpr.search.bm25 import bm25_stamp, open_bm25
from opendpr.search.dense import Cache, dense_stamp, open_dense
from opendpr.search.engine_index import EngineIndex, IndexSettings
from opendpr.search.exact import ExactIndex, top
from opendpr.search.stored import RemovedError, StoredIndex
from opendpr.types import Hit, Neighbours, Numbers, Scores, Vectors

logger = logging.getLogger(__name__)

UNION = 1_000
"""Passages of each kind whose union a hybrid search ranks; the paper takes 2,000."""

ATTEMPTS = 20
"""How often a search is started again because a writer removed a passage that it found."""


DenseIndex: TypeAlias = ExactIndex | StoredIndex | EngineIndex


class Snapshot:
    """What a search needs of one state of a collection, loaded when first asked for.

    Args:
        before: an earlier one, whose vectors are taken over if they are still the same
        index: the engine that finds candidates by vectors; None means what lies beside the collection
    """

    def __init__(
        self, collection: Collection, before: Snapshot | None = None, *, index: IndexSettings | None = None
    ) -> None:
        self.collection, self._index = collection, index
        self.version, self._stamps = collection.version(), _stamps(collection)
        self._encoder = collection.encoder()
        self._cache: Cache | None = before._cache if before else None
        self._words: tuple[TextIndex, Numbers] | None = None
        same = before and (before.version, before._stamps["dense"]) == (self.version, self._stamps["dense"])
        self._dense: DenseIndex | None = before._dense if before and same else None
        self._engine: Engine | None = before._engine if before else None

    def is_current(self) -> bool:
        """Whether neither the collection nor a cache beside it changed since, as `opendpr optimize` changes these."""
        return (self.version, self._stamps) == (self.collection.version(), _stamps(self.collection))

    @property
    def dense(self) -> DenseIndex:
        """All vectors, without those of documents that are not complete yet."""
        if self._dense is None:
            self._dense = self._load_dense()
        return self._dense

    @property
    def missing(self) -> tuple[str, ...]:
        """Servers of the engine that the last search went without."""
        return self._dense.missing if isinstance(self._dense, EngineIndex) else ()

    def nearest(self, vectors: Vectors, k: int, where: str | None) -> Neighbours:
        """The k nearest for each row of `vectors` (Q, d), of documents that meet a filter.

        Raises:
            UsageError: the filter cannot be understood.
        """
        if isinstance(self.dense, EngineIndex):  # which filters by the condition, not by the numbers that meet it
            return self.dense.search(vectors, k, None if where is None else parse_where(where))
        return self.dense.search(vectors, k, self.allowed(where))

    def _load_dense(self) -> DenseIndex:
        if self._index is None:
            return self._load_beside()
        if self._encoder is not None and self.collection.require_encoder().fingerprint != self._encoder.fingerprint:
            raise StateError(f"{self.collection.directory} was given another model meanwhile; open it again")
        index = EngineIndex(self.collection, self._index, self._engine)
        self._engine = index.engine
        return index

    def _load_beside(self) -> ExactIndex | StoredIndex:
        self._cache = cache = open_dense(self.collection, self._cache)
        with self.collection.one_state():
            row = self.collection.require_encoder()
            if self._encoder is not None and row.fingerprint != self._encoder.fingerprint:
                raise StateError(
                    f"{self.collection.directory} was given another model meanwhile ({row.model}); open it again"
                )
            hidden, passages = self.collection.hidden(), self.collection.count_passages()
            newer = self.collection.count_vectors_after(cache.last_number) if cache else passages
            after = cache.last_number if cache else 0
            exact = ExactIndex.gather(_without(np.sort(hidden), self.collection.vectors(after)), newer, row.dim)
            removed = self.collection.deleted_since(cache.version.version) if cache else []
        if cache:
            cached = cache.index.without(np.concatenate([np.array(removed, np.int64), hidden]))
            index: ExactIndex | StoredIndex = StoredIndex(self.collection, row, cached, exact)
        else:
            index = exact
        if missing := passages - len(hidden) - len(index):
            logger.warning(
                "%s: passages without a vector, which bm25 alone finds: %d; any 'opendpr add' or 'opendpr encode' "
                "gives them one",
                self.collection.directory,
                missing,
            )
        return index

    @property
    def _bm25(self) -> tuple[TextIndex, Numbers]:
        """The index, and the passages in it that must not be shown: removed or not complete yet."""
        if self._words is None:
            index, seen = open_bm25(self.collection)
            removed = np.array(self.collection.deleted_since(seen.version), dtype=np.int64)
            self._words = index, np.concatenate([removed, self.collection.hidden()])
        return self._words

    def allowed(self, where: str | None) -> Numbers | None:
        """The passages of documents that meet a filter; None without one.

        Raises:
            UsageError: the filter cannot be understood.
        """
        return None if where is None else matching(self.collection, compile_where(where))

    def search_words(self, question: str, k: int, allowed: Numbers | None) -> Neighbours:
        """The k best passages by BM25 (Q = 1), of those allowed."""
        index, excluded = self._bm25
        if allowed is not None:
            return index.search(question, k, allowed)
        found = index.search(question, k + len(excluded))
        kept = ~np.isin(found.numbers[0], excluded)
        return Neighbours(found.scores[:, kept][:, :k], found.numbers[:, kept][:, :k])

    def score_words(self, question: str, numbers: Numbers) -> Scores:
        """(n,) BM25 scores of given passages."""
        return self._bm25[0].score(question, numbers)

    def hits(self, found: Neighbours, parts: Sequence[dict[str, NDArray[np.float32]]]) -> list[list[Hit]]:
        """Neighbours with their passages."""
        wanted = np.unique(found.numbers[found.numbers >= 0])
        passages = self.collection.passages(wanted.tolist())
        if len(passages) < len(wanted):
            raise RemovedError
        return [
            [
                Hit(passages[number], float(score), {name: float(values[place]) for name, values in of.items()})
                for place, (score, number) in enumerate(zip(scores.tolist(), numbers.tolist(), strict=True))
                if number >= 0
            ]
            for scores, numbers, of in zip(found.scores, found.numbers, parts, strict=True)
        ]

    def settled(self, search: Callable[[], list[list[Hit]]]) -> list[list[Hit]]:
        """What `search` finds, once all of it is still there: a replaced document is found old or new, not neither.

        Raises:
            BusyError: a writer removed what was found again and again.
        """
        for _ in range(ATTEMPTS):
            try:
                return search()
            except RemovedError:
                self._dense = self._words = None
        raise BusyError(f"{self.collection.directory} changes too fast to be searched; try again")


def _without(
    hidden: Numbers, pieces: Iterable[tuple[Numbers, NDArray[np.float16]]]
) -> Iterator[tuple[Numbers, NDArray[np.float16]]]:
    """Pieces of numbers (n,) and vectors (n, d), all rising, without those of some numbers."""
    for numbers, vectors in pieces:
        first, last = np.searchsorted(hidden, [numbers[0], numbers[-1] + 1])
        kept = slice(None) if first == last else ~np.isin(numbers, hidden[first:last])
        yield numbers[kept], vectors[kept]


def _stamps(collection: Collection) -> dict[str, object]:
    """What differs once a cache beside the collection is another one."""
    return {"dense": dense_stamp(collection), "bm25": bm25_stamp(collection)}


class DenseRetriever:
    """The largest inner products of question and passage vectors (paper section 3.1)."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder) -> None:
        self._snapshot, self._encoder = snapshot, encoder

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first."""
        if not questions:
            return []
        self._snapshot.collection.refuse_fork()  # the threads of the encoder and of FAISS do not survive one
        vectors = self._encoder.encode_questions(questions)

        def search() -> list[list[Hit]]:
            found = self._snapshot.nearest(vectors, k, where)
            return self._snapshot.hits(found, [{"dense": scores} for scores in found.scores])

        return self._snapshot.settled(search)


class Bm25Retriever:
    """The passages that share the rarest words with the question."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first; fewer if fewer share a word with it."""

        def search() -> list[list[Hit]]:
            lists, allowed = [], self._snapshot.allowed(where)
            for question in questions:
                found = self._snapshot.search_words(question, k, allowed)
                lists += self._snapshot.hits(found, [{"bm25": found.scores[0]}])
            return lists

        return self._snapshot.settled(search)


class HybridRetriever:
    """BM25(q, p) + weight * sim(q, p) over the union of the best of both (paper section 5)."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder, weight: float) -> None:
        self._snapshot, self._encoder, self._weight = snapshot, encoder, weight

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first; both scores are computed for the whole union."""
        if not questions:
            return []
        self._snapshot.collection.refuse_fork()  # the threads of the encoder and of FAISS do not survive one
        vectors = self._encoder.encode_questions(questions)

        def search() -> list[list[Hit]]:
            lists, allowed = [], self._snapshot.allowed(where)
            nearest = self._snapshot.nearest(vectors, max(k, UNION), where).numbers
            for question, vector, dense_numbers in zip(questions, vectors, nearest, strict=True):
                words = self._snapshot.search_words(question, max(k, UNION), allowed).numbers[0]
                found, parts = self._rank(question, vector, np.concatenate([words, dense_numbers]), k)
                lists += self._snapshot.hits(found, [parts])
            return lists

        return self._snapshot.settled(search)

    def _rank(
        self, question: str, vector: NDArray[np.float32], candidates: Numbers, k: int
    ) -> tuple[Neighbours, dict[str, NDArray[np.float32]]]:
        union = np.unique(candidates)
        union = union[union >= 0]
        dense = self._snapshot.dense.score(vector, union)
        union, dense = union[np.isfinite(dense)], dense[np.isfinite(dense)]
        bm25 = self._snapshot.score_words(question, union)
        total = (bm25 + self._weight * dense).astype(np.float32)
        best = top(total[None], np.arange(len(union))[None], min(k, len(union)))
        places = best.numbers[0]
        return Neighbours(best.scores, union[places][None]), {"dense": dense[places], "bm25": bm25[places]}


def make_retriever(
    kind: str,
    collection: Collection,
    encoder: BertEncoder | None,
    snapshot: Snapshot | None = None,
    *,
    weight: float | None = None,
) -> Retriever:
    """A retriever by name.

    Args:
        snapshot: of the collection; None means a new one
        weight: of the similarity beside BM25 in hybrid search; None is the model's

    Raises:
        StateError: the collection was encoded by another model than `encoder`.
        UsageError: the name is unknown, or a dense part lacks an encoder.
    """
    snapshot = snapshot or Snapshot(collection)
    if kind == "bm25":
        return Bm25Retriever(snapshot)
    if kind not in RETRIEVERS or encoder is None:
        raise UsageError(f"retriever must be one of {', '.join(RETRIEVERS)}, got {kind!r}")
    refuse_other_encoder(collection, encoder.model.fingerprint, encoder.model.reference)
    if kind == "dense":
        return DenseRetriever(snapshot, encoder)
    return HybridRetriever(snapshot, encoder, encoder.model.hybrid_weight if weight is None else weight)
