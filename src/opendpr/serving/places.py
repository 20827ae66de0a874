"""Where a service reads its collection: files of this machine, or members of a set served by a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Collection as Container
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from opendpr.collection import Collection, open_collection
from opendpr.collection.opening import file_identity, has_database, missing_members
from opendpr.collection.set_manifest import is_set, read_manifest
from opendpr.errors import BusyError, InputError, OpendprError, UsageError

if TYPE_CHECKING:
    from opendpr.serving.settings import Settings

Result = TypeVar("Result")


class Place(Protocol):
    """Where a collection is, which may go away and come back while it is served."""

    def open(self) -> Collection:
        """Open what is there now.

        Raises:
            BusyError: a member of a set is not there, and none may be missing.
            StateError: there is no collection.
        """
        ...

    def identity(self, without: Container[str] = ()) -> object:
        """A value that changes when another collection, or a member that was missing, has to be opened.

        Args:
            without: members that could not be opened before

        Raises:
            BusyError: a member of a set is gone, and none may be missing.
            StateError: there is no collection.
        """
        ...

    def has_lost_part(self, collection: Collection) -> bool:
        """Whether a part of an opened collection cannot be read any more, so that opening it again may help."""
        ...


class Stored:
    """Files of this machine.

    Args:
        allow_partial: members of a set may be missing
    """

    def __init__(self, directory: Path, *, allow_partial: bool = False) -> None:
        self._directory, self._allow_partial = directory, allow_partial

    def open(self) -> Collection:
        return open_collection(self._directory, allow_partial=self._allow_partial)

    def identity(self, without: Container[str] = ()) -> object:
        """It stays the same as long as no file, of any member of a set, is replaced by another."""
        if not is_set(self._directory):
            return file_identity(self._directory)
        files = {
            path.name: file_identity(path)
            if has_database(path) and (path.name not in without or _can_be_opened(path))
            else None
            for path in read_manifest(self._directory).directories(self._directory)
        }
        missing = [name for name, file in files.items() if file is None]
        if missing and not self._allow_partial:
            raise BusyError(missing_members(self._directory, missing))
        return files

    def has_lost_part(self, collection: Collection) -> bool:
        return not all(_can_be_opened(part.directory) for part in collection.parts)


class Looking:
    """Reads the collection that is there now, for one thread."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._opened: tuple[object, Collection] | None = None

    def read(self, read: Callable[[Collection], Result]) -> Result:
        """What a function reads; without a member that is lost meanwhile, if that is allowed."""
        collection = self._collection()
        try:
            return read(collection)
        except BusyError:
            if not self._place.has_lost_part(collection):
                raise
            return read(self._open_again())

    def _collection(self) -> Collection:
        if self._opened is None or self._opened[0] != self._place.identity(self._opened[1].missing):
            return self._open_again()
        return self._opened[1]

    def _open_again(self) -> Collection:
        before, collection = self._opened, self._place.open()
        self._opened = (self._place.identity(collection.missing), collection)
        if before:
            before[1].close()
        return collection


def place_of(settings: Settings) -> Place:
    """Where the collection is that a service is made for."""
    if not settings.on_cluster:
        return Stored(settings.collection, allow_partial=settings.allow_partial)
    from opendpr.cluster.members import ServedSet  # needs Ray

    return ServedSet(settings.collection, allow_partial=settings.allow_partial)


@contextmanager
def unreadable_is_missing(directory: Path) -> Iterator[None]:
    """Of a set that is served, a member that cannot be read is as one that is not there: it may come back.

    Raises:
        BusyError: in place of what is wrong with a member.
    """
    try:
        yield
    except (BusyError, InputError, UsageError):
        raise
    except OpendprError as error:
        if not is_set(directory):
            raise
        raise BusyError(str(error)) from None


def _can_be_opened(directory: Path) -> bool:
    """Whether a member can be read, as far as opening it tells."""
    try:
        open_collection(directory).close()
    except OpendprError:
        return False
    return True
