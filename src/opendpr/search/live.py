"""The snapshot of a collection that its retrievers share, replaced as the collection changes."""

from __future__ import annotations

from collections.abc import Callable

from opendpr.collection import Collection
from opendpr.errors import BusyError
from opendpr.search.engine_index import EngineIndex
from opendpr.search.settings import SearchSettings
from opendpr.search.snapshot import Snapshot, load_snapshot, read_state
from opendpr.search.stored import RemovedError
from opendpr.types import Hit


class LiveSnapshot:
    """Holds the snapshot that retrievers search, so that each part of it is loaded once for all of them.

    Each part is loaded when a retriever first needs it. The snapshot is replaced by that, by `refresh`, and by a search
    that comes upon a removed passage; nothing else changes it.
    """

    def __init__(self, collection: Collection, settings: SearchSettings = SearchSettings()) -> None:
        self.collection, self._settings = collection, settings
        self._kinds: frozenset[str] = frozenset()
        self._snapshot = load_snapshot(collection, ())

    @property
    def version(self) -> int:
        """The version of the collection that is searched."""
        return self._snapshot.state.version.version

    @property
    def missing(self) -> tuple[str, ...]:
        """Servers of the engine, or members of a set, that the last search went without; none unless allowed."""
        dense = self._snapshot.dense_part
        servers = dense.index.missing if dense and isinstance(dense.index, EngineIndex) else ()
        return (*self.collection.missing, *servers)

    def is_current(self) -> bool:
        """Whether neither the collection nor a cache beside it changed since, as `opendpr optimize` changes these."""
        return self._snapshot.state == read_state(self.collection)

    def refresh(self) -> None:
        """Search the collection's newest state from now on; what is still the same is kept.

        Raises:
            StateError: it was given another model meanwhile; the snapshot stays what it was.
        """
        self._snapshot = self._loaded(self._kinds)

    def load(self, kind: str) -> Snapshot:
        """The snapshot, with what a retriever of this kind searches."""
        if kind not in self._kinds:
            kinds = self._kinds | {kind}
            self._snapshot = self._loaded(kinds)
            self._kinds = kinds
        return self._snapshot

    def _loaded(self, kinds: frozenset[str], *, keep: bool = True) -> Snapshot:
        """The newest state; members of a set that are elsewhere may change while theirs is read."""
        for _ in range(self._settings.attempts):
            try:
                return load_snapshot(self.collection, kinds, self._snapshot, self._settings, keep=keep)
            except RemovedError:
                continue
        raise self._too_fast()

    def _too_fast(self) -> BusyError:
        return BusyError(f"{self.collection.directory} changes too fast to be searched; try again")

    def search(self, kind: str, search: Callable[[Snapshot], list[list[Hit]]]) -> list[list[Hit]]:
        """What `search` finds, once all of it is still there: a replaced document is found old or new, not neither.

        Raises:
            BusyError: a writer removed what was found again and again.
        """
        for _ in range(self._settings.attempts):
            try:
                return search(self.load(kind))
            except RemovedError:
                self._snapshot = self._loaded(self._kinds, keep=False)
        raise self._too_fast()
