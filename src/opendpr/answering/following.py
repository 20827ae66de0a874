"""Retrieval from the newest state of a collection that other processes change."""

from __future__ import annotations

from collections.abc import Sequence

from opendpr.answering.asked import Asked, asked
from opendpr.collection import Collection
from opendpr.model.encoder import BertEncoder
from opendpr.search.retrievers import Snapshot, make_retriever
from opendpr.types import Hit


class FollowingRetrievers:
    """Retrievers by name over one snapshot of a collection, which is replaced when the collection changes.

    Args:
        encoder: None is enough for BM25 alone

    Raises:
        StateError: the collection was encoded by another model than `encoder`.
        UsageError: a name is unknown, or its retriever lacks an encoder.
    """

    def __init__(self, collection: Collection, encoder: BertEncoder | None, names: Sequence[str]) -> None:
        self.collection, self._encoder, self._names = collection, encoder, names
        self._counting: Snapshot | None = None  # its words are loaded: a thread that reads need not load them
        self._take(Snapshot(collection))

    @property
    def version(self) -> int:
        """The version of the collection that is searched."""
        return self._snapshot.version.version

    def is_current(self) -> bool:
        """Whether neither the collection nor a cache beside it has changed since the last `refresh`."""
        return self._snapshot.is_current()

    def refresh(self) -> None:
        """Search the collection's newest state from now on; what is still the same is kept."""
        self._take(Snapshot(self.collection, self._snapshot))

    def retrieve(self, name: str, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first, in the state of the last `refresh`.

        Raises:
            BusyError: the collection changes faster than it can be searched.
            StateError: it was encoded by another model meanwhile.
            UsageError: the filter cannot be understood.
        """
        lists = self._retrievers[name].retrieve(questions, k, where)
        if name != "dense":
            self._counting = self._snapshot
        return lists

    def asked(self, name: str, question: str) -> Asked:
        """What decoding needs to know of a question that the named retriever finds passages for."""
        return asked(question, name, self._counting or self._snapshot)

    def _take(self, snapshot: Snapshot) -> None:
        self._retrievers = {
            name: make_retriever(name, self.collection, self._encoder, snapshot) for name in self._names
        }
        self._snapshot = snapshot  # last, so that a refusal leaves everything as it was
