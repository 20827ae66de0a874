"""A member of a set, opened where it lies, for those who read and search it from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from opendpr.collection.members import Request
from opendpr.collection.opening import file_identity, open_collection, refuse_other_member
from opendpr.collection.rows import Version
from opendpr.errors import BusyError, StateError
from opendpr.search.live import LiveSnapshot
from opendpr.search.snapshot import Snapshot
from opendpr.search.stored import RemovedError

RETRIEVERS_OF_SUBJECTS = {"words": "bm25", "vectors": "dense"}
"""The retriever that needs what is searched."""


class OpenedMember:
    """Runs functions on a member's collection, words and vectors, for one thread.

    It follows the member when another process changes it, or puts a copy in its place. The state that is searched is
    the one that is asked for, as long as it is the newest or the one that was loaded.

    Args:
        collection_id: of the collection that the set was made with

    Raises:
        StateError: there is no collection, or it is another one.
    """

    def __init__(self, directory: Path, collection_id: str) -> None:
        self._directory, self._id = directory, collection_id
        self._file, self._live = self._opened()

    def run(self, request: Request) -> object:
        """What a function returns; all of it, where it returns an iterator.

        Raises:
            BusyError: the member is gone.
            RemovedError: it is in another state than the one asked for.
            StateError: another collection is in its place.
        """
        if self._file != self.file():
            self._reopen()
        subject = self._subject(request.subject, request.version)
        result = request.run(subject, *request.args, **request.options)
        return list(result) if isinstance(result, Iterator) else result

    def file(self) -> object:
        """Which file the member is now; raises BusyError if it is gone."""
        try:
            return file_identity(self._directory)
        except StateError as error:
            raise BusyError(str(error)) from None

    def _opened(self) -> tuple[object, LiveSnapshot]:
        """Which file it is, and what is in it."""
        file, collection = file_identity(self._directory), open_collection(self._directory)
        try:
            refuse_other_member(collection, self._id)
        except StateError:
            collection.close()
            raise
        return file, LiveSnapshot(collection)

    def _reopen(self) -> None:
        before = self._live.collection
        self._file, self._live = self._opened()
        before.close()

    def _subject(self, name: str, version: Version | None) -> object:
        if name == "collection":
            return self._live.collection
        snapshot = self._searched(RETRIEVERS_OF_SUBJECTS[name], version)
        return snapshot.dense if name == "vectors" else snapshot.word_member

    def _searched(self, kind: str, version: Version | None) -> Snapshot:
        """The snapshot of a state, which is loaded if it is the newest."""
        newest = self._live.collection.version()
        if version in (None, newest) and not self._live.is_current():
            try:
                self._live.refresh()
            except StateError:  # it was given another model
                self._reopen()
        snapshot = self._live.load(kind)
        if version not in (None, snapshot.state.version):
            raise RemovedError
        return snapshot
