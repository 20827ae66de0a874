"""`opendpr backup` and `notes.backup()`: a copy of the store in one of its states, made while others read and write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from opendpr.collection.collection import Collection
from opendpr.collection.database import (
    CACHE_KIBIBYTES,
    DATABASE,
    closed_on_error,
    connect,
    our_errors,
    refuse_place,
    reserve_checksums,
)
from opendpr.errors import OpendprError, StateError
from opendpr.storage.atomic import make_directory, put_in_place

READING_ERRORS = (apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ)
"""What goes wrong with a file that is read."""


def write_backup(collection: Collection, destination: Path, *, cache_kibibytes: int = CACHE_KIBIBYTES) -> int:
    """Write the newest state as a collection of its own; returns its version.

    The copy has no free pages, has page checksums of its own, and appears under its name when it is whole.

    Args:
        cache_kibibytes: of the pages held in memory

    Raises:
        StateError: the destination exists.
        ResourceError: it does not fit on the disk.
    """
    if destination.exists():
        raise StateError(f"{destination} exists; give a directory that does not")
    refuse_place(destination)
    temporary = destination.with_name(destination.name + ".writing")
    path = temporary / DATABASE
    _clear(temporary)
    connection = connect(path, create=True, cache_kibibytes=cache_kibibytes)
    with our_errors(path), closed_on_error(connection):
        reserve_checksums(connection)
        # A page gets its checksum only if the first one, which says so, is on the disk before it. "VACUUM INTO" writes
        # others first as soon as they do not all fit into SQLite's cache.
        connection.execute("CREATE TABLE first_page(number)")
        with _own_errors(collection):
            collection.copy_into(connection)
        connection.execute("PRAGMA incremental_vacuum").fetchall()
        connection.execute("PRAGMA journal_mode=WAL")
        version = connection.execute("SELECT max(version) FROM commits").get
        connection.close()
    try:
        put_in_place(temporary, destination)
    except OSError as error:
        if not destination.exists():
            raise
        raise StateError(
            f"{destination} was made by another process meanwhile ({error.strerror}); the backup is in {temporary}"
        ) from None
    return int(version)


def _clear(directory: Path) -> None:
    """Make a directory to write the copy in, without what an interrupted backup left: its log would be taken for ours.

    Raises:
        OpendprError: it cannot be written.
    """
    try:
        make_directory(directory)
        for left in directory.glob(f"{DATABASE}*"):
            left.unlink()
    except OSError as error:
        raise OpendprError(f"{directory} cannot be written ({error.strerror}); see to the disk") from None


@contextmanager
def _own_errors(collection: Collection) -> Iterator[None]:
    """Report what is wrong with the collection itself under its own name."""
    try:
        yield
    except (apsw.CorruptError, apsw.BusyError, apsw.IOError) as error:
        if not isinstance(error, apsw.IOError) or getattr(error, "extendedresult", None) in READING_ERRORS:
            with our_errors(collection.path):
                raise
        raise
