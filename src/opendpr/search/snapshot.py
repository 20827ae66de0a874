"""One state of a collection, loaded to be searched."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from operator import attrgetter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from opendpr.choices import needs_vectors, needs_words
from opendpr.collection import Collection
from opendpr.collection.filters import parse_where
from opendpr.collection.members import Here, Member, of_each
from opendpr.collection.remote import RemoteMember
from opendpr.collection.rows import EncoderRow, Version
from opendpr.collection.selection import matching
from opendpr.collection.where import compile_where
from opendpr.errors import StateError
from opendpr.protocols import TextIndex, VectorIndex
from opendpr.search.bm25 import bm25_stamp, open_bm25
from opendpr.search.dense import Cache, dense_stamp, open_dense
from opendpr.search.engine_index import EngineIndex
from opendpr.search.exact import ExactIndex
from opendpr.search.merged_index import MergedIndex
from opendpr.search.merged_words import MergedWords, WordMember
from opendpr.search.settings import EngineSettings, SearchSettings
from opendpr.search.stored import RemovedError, StoredIndex
from opendpr.search.tantivy import TantivyIndex
from opendpr.types import Hit, Neighbours, Numbers, Scores, Vectors, WordCounts

logger = logging.getLogger(__name__)


DenseIndex: TypeAlias = ExactIndex | StoredIndex | MergedIndex | EngineIndex


@dataclass(frozen=True, slots=True)
class State:
    """What a collection and the caches beside it are at one moment: equal states find the same."""

    version: Version
    encoder: EncoderRow | None
    stamps: tuple[object, ...]
    """Of the caches of each part that is on this machine."""


@dataclass(frozen=True, slots=True)
class DensePart:
    """The vectors of a snapshot, without those of documents that are not complete yet."""

    index: DenseIndex
    caches: tuple[Cache | None, ...] = ()
    """Of each part."""


@dataclass(frozen=True, slots=True)
class WordPart:
    """The words of a snapshot."""

    index: TextIndex
    excluded: Numbers
    """Passages of the index that must not be shown: removed, or not complete yet."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a collection; the parts that were not asked for are None. `load_snapshot` makes it."""

    collection: Collection
    state: State
    dense_part: DensePart | None = None
    word_part: WordPart | None = None

    @property
    def dense(self) -> DenseIndex:
        """All vectors, without those of documents that are not complete yet."""
        assert self.dense_part is not None, "the snapshot was loaded without vectors"
        return self.dense_part.index

    @property
    def word_member(self) -> WordMember:
        """The words of a collection that is no set, as a member of one."""
        assert isinstance(self._words.index, TantivyIndex), f"{self.collection.directory} is a set"
        return WordMember(self.collection, self._words.index, self._words.excluded)

    @property
    def _words(self) -> WordPart:
        assert self.word_part is not None, "the snapshot was loaded without words"
        return self.word_part

    def allowed(self, where: str | None) -> Numbers | None:
        """The passages of documents that meet a filter; None without one.

        Raises:
            UsageError: the filter cannot be understood.
        """
        return None if where is None else matching(self.collection, compile_where(where))

    def nearest(self, vectors: Vectors, k: int, where: str | None) -> Neighbours:
        """The k nearest for each row of `vectors` (Q, d), of documents that meet a filter.

        Raises:
            RemovedError: a passage was removed since the snapshot was loaded.
            UsageError: the filter cannot be understood.
        """
        if isinstance(self.dense, EngineIndex):  # which filters by the condition, not by the numbers that meet it
            return self.dense.search(vectors, k, None if where is None else parse_where(where))
        return self.dense.search(vectors, k, self.allowed(where))

    def search_words(self, question: str, k: int, allowed: Numbers | None) -> Neighbours:
        """The k best passages by BM25 (Q = 1), of those allowed."""
        index, excluded = self._words.index, self._words.excluded
        if allowed is not None:
            return index.search(question, k, allowed)
        best = index.search(question, k + len(excluded))
        kept = ~np.isin(best.numbers[0], excluded)
        return Neighbours(best.scores[:, kept][:, :k], best.numbers[:, kept][:, :k])

    def score_words(self, question: str, numbers: Numbers) -> Scores:
        """(n,) BM25 scores of given passages."""
        return self._words.index.score(question, numbers)

    def count_words(self, question: str) -> WordCounts:
        """The number of passages in which each word of a question occurs, as BM25 counts them."""
        return self._words.index.count_words(question)

    def hits(self, neighbours: Neighbours, parts: Sequence[dict[str, NDArray[np.float32]]]) -> list[list[Hit]]:
        """Neighbours of Q questions with their passages.

        Args:
            parts: for each question the scores (k,) by name that each neighbour's score is made of

        Raises:
            RemovedError: a passage was removed since the snapshot was loaded.
        """
        # Not by np.unique, whose first call imports numpy.ma: that takes longer than a search.
        wanted = sorted(set(neighbours.numbers[neighbours.numbers >= 0].tolist()))
        passages = self.collection.passages(wanted)
        if len(passages) < len(wanted):
            raise RemovedError
        return [
            [
                Hit(passages[number], float(score), {name: float(values[place]) for name, values in named.items()})
                for place, (score, number) in enumerate(zip(scores.tolist(), numbers.tolist(), strict=True))
                if number >= 0
            ]
            for scores, numbers, named in zip(neighbours.scores, neighbours.numbers, parts, strict=True)
        ]


def read_state(collection: Collection) -> State:
    """The state that a collection and its caches are in now."""
    here = (part for part in collection.parts if not isinstance(part, RemoteMember))
    stamps = tuple((dense_stamp(part), bm25_stamp(part)) for part in here)
    return State(*collection.state(), stamps)


def load_snapshot(
    collection: Collection,
    kinds: Iterable[str],
    before: Snapshot | None = None,
    settings: SearchSettings = SearchSettings(),
    *,
    keep: bool = True,
) -> Snapshot:
    """Load what retrievers of these kinds search, from the newest state of a collection.

    Args:
        kinds: `dense` needs vectors, `bm25` words, `hybrid` both; none of them loads nothing
        before: an earlier snapshot of it: whatever is still the same is taken over
        keep: False takes over opened files and connections only

    Raises:
        StateError: vectors are needed, and there are none, or they are those of another model than `before`.
    """
    wanted = set(kinds)
    state = read_state(collection)  # first: a change that comes while parts are loaded shows as a newer state
    same = before if keep and before and before.state == state else None
    dense_part, word_part = (same.dense_part, same.word_part) if same else (None, None)
    if any(map(needs_vectors, wanted)) and dense_part is None:
        _refuse_other_vectors(collection, state, before)
        dense_part = _load_dense(collection, state, before, settings)
    if any(map(needs_words, wanted)) and word_part is None:
        word_part = _load_words(collection, settings)
    return Snapshot(collection, state, dense_part, word_part)


def _load_words(collection: Collection, settings: SearchSettings) -> WordPart:
    if collection.parts == (collection,):
        own = load_words(collection, settings)
        return WordPart(own.index, own.excluded)
    members: list[Member[WordMember]] = [
        part.searched("words") if isinstance(part, RemoteMember) else Here(load_words(part, settings))
        for part in collection.parts
    ]
    return WordPart(MergedWords(members), np.concatenate(of_each(members, attrgetter("excluded"))))


def load_words(collection: Collection, settings: SearchSettings = SearchSettings()) -> WordMember:
    """The words of one part, with what must not be shown of them."""
    index, seen_version = open_bm25(collection, settings.words)
    removed = np.array(collection.deleted_since(seen_version.version), dtype=np.int64)
    return WordMember(collection, index, np.concatenate([removed, collection.hidden()]))


def _refuse_other_vectors(collection: Collection, state: State, before: Snapshot | None) -> None:
    earlier, row = before.state.encoder if before else None, state.encoder
    if earlier and row and row.fingerprint != earlier.fingerprint:
        raise StateError(f"{collection.directory} was given another model meanwhile ({row.model}); open it again")


def _load_dense(collection: Collection, state: State, before: Snapshot | None, settings: SearchSettings) -> DensePart:
    if settings.engine:
        return DensePart(_load_engine_index(collection, state, before, settings.engine))
    opened = before.dense_part.caches if before and before.dense_part else ()
    index: DenseIndex
    if collection.parts == (collection,):
        index, cache = _load_part(collection, state, opened[0] if opened else None, settings)
        caches: tuple[Cache | None, ...] = (cache,)
    else:
        loaded = [
            _load_member(part, state, cache, settings)
            for part, cache in zip_longest(collection.parts, opened[: len(collection.parts)])
        ]
        index, caches = MergedIndex([member for member, _ in loaded]), tuple(cache for _, cache in loaded)
    if settings.warn_incomplete and (missing := collection.count_passages() - len(collection.hidden()) - len(index)):
        logger.warning(
            "%s: passages without a vector, which bm25 alone finds: %d; any 'opendpr add' or 'opendpr encode' "
            "gives them one",
            collection.directory,
            missing,
        )
    return DensePart(index, caches)


def _load_member(
    part: Collection, state: State, opened: Cache | None, settings: SearchSettings
) -> tuple[Member[VectorIndex], Cache | None]:
    """The vectors of a member, here or elsewhere."""
    if isinstance(part, RemoteMember):
        return part.searched("vectors"), None
    index, cache = _load_part(part, state, opened, settings)
    return Here(index), cache


def _load_part(
    collection: Collection, state: State, opened: Cache | None, settings: SearchSettings
) -> tuple[ExactIndex | StoredIndex, Cache | None]:
    """The vectors of one part, and the cache that they are searched by."""
    cache = open_dense(collection, opened, settings.ivf)
    with collection.one_state():
        row = collection.require_encoder()
        if state.encoder and row.fingerprint != state.encoder.fingerprint:
            raise StateError(f"{collection.directory} was given another model meanwhile ({row.model}); open it again")
        hidden, passages = collection.hidden(), collection.count_passages()
        newer = collection.count_vectors_after(cache.last_number) if cache else passages
        pieces = _without(np.sort(hidden), collection.vectors(cache.last_number if cache else 0))
        exact = ExactIndex.gather(pieces, newer, row.dim, settings=settings.exact)
        removed = collection.deleted_since(cache.version.version) if cache else []
    if cache is None:
        return exact, None
    cached = cache.index.without(np.concatenate([np.array(removed, np.int64), hidden]))
    return StoredIndex(collection, row, cached, exact), cache


def _load_engine_index(
    collection: Collection, state: State, before: Snapshot | None, settings: EngineSettings
) -> EngineIndex:
    earlier = before.dense_part.index if before and before.dense_part else None
    index = EngineIndex(collection, settings, earlier.engine if isinstance(earlier, EngineIndex) else None)
    if state.encoder and index.row.fingerprint != state.encoder.fingerprint:
        raise StateError(f"{collection.directory} was given another model meanwhile ({index.row.model}); open it again")
    return index


def _without(
    hidden: Numbers, pieces: Iterable[tuple[Numbers, NDArray[np.float16]]]
) -> Iterator[tuple[Numbers, NDArray[np.float16]]]:
    """Pieces of numbers (n,) and vectors (n, d), all rising, without those of hidden passages."""
    for numbers, vectors in pieces:
        first, last = np.searchsorted(hidden, [numbers[0], numbers[-1] + 1])
        kept = slice(None) if first == last else ~np.isin(numbers, hidden[first:last])
        yield numbers[kept], vectors[kept]
