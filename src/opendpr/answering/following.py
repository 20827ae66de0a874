"""Retrieval from the newest state of a collection that other processes change."""

from __future__ import annotations

from collections.abc import Sequence

from opendpr.collection import Collection
from opendpr.model.encoder import BertEncoder
from opendpr.search.engine_index import IndexSettings
from opendpr.search.retrievers import Snapshot, make_retriever
from opendpr.types import Hit


class FollowingRetrievers:
    """Retrievers by name over one snapshot of a collection, which is replaced when the collection changes.

    Args:
        encoder: None is enough for BM25 alone
        index: the engine that finds candidates by vectors; None means what lies beside the collection

    Raises:
        StateError: the collection was encoded by another model than `encoder`.
        UsageError: a name is unknown, or its retriever lacks an encoder.
    """

    def __init__(
        self,
        collection: Collection,
        encoder: BertEncoder | None,
        names: Sequence[str],
        *,
        index: IndexSettings | None = None,
    ) -> None:
        self.collection, self._encoder, self._names, self._index = collection, encoder, names, index
        self._take(Snapshot(collection, index=index))

    @property
    def version(self) -> int:
        """The version of the collection that is searched."""
        return self._snapshot.version.version

    @property
    def missing(self) -> tuple[str, ...]:
        """Servers of the engine that the last search went without."""
        return self._snapshot.missing

    def is_current(self) -> bool:
        """Whether neither the collection nor a cache beside it has changed since the last `refresh`."""
        return self._snapshot.is_current()

    def refresh(self) -> None:
        """Search the collection's newest state from now on; what is still the same is kept."""
        self._take(Snapshot(self.collection, self._snapshot, index=self._index))

    def retrieve(self, name: str, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first, in the state of the last `refresh`.

        Raises:
            BusyError: the collection changes faster than it can be searched.
            StateError: it was encoded by another model meanwhile.
            UsageError: the filter cannot be understood.
        """
        return self._retrievers[name].retrieve(questions, k, where)

    def _take(self, snapshot: Snapshot) -> None:
        self._retrievers = {
            name: make_retriever(name, self.collection, self._encoder, snapshot) for name in self._names
        }
        self._snapshot = snapshot  # last, so that a refusal leaves everything as it was
