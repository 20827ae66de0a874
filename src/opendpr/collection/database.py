"""Connections to `collection.db`: page checksums, durability, and errors in our own words."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw
import apsw.sqlite_extra

from opendpr.collection.where import as_number
from opendpr.errors import BusyError, CorruptionError, OpendprError, ResourceError, StateError
from opendpr.storage.atomic import put_in_place
from opendpr.text.unicode import is_unicode

COLLECTION_FORMAT = 1
"""Number of the form of `collection.db`; a newer one is refused."""
DATABASE = "collection.db"
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"}
)
BUSY_MILLISECONDS = 30_000
WAITED_FOR = (apsw.BusyError, apsw.LockedError)
"""What SQLite reports where another connection, or a statement of this one that was interrupted, still reads."""
CACHE_KIBIBYTES = 65_536
"""Size of the pages that a connection keeps in memory."""

SCHEMA = """
CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents(
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    metadata TEXT NOT NULL,
    content_sha256 BLOB NOT NULL,
    replaces INTEGER  -- row of the document whose place this one takes once all its passages have vectors
);
CREATE UNIQUE INDEX current_documents ON documents(id) WHERE replaces IS NULL;
CREATE UNIQUE INDEX pending_documents ON documents(id) WHERE replaces IS NOT NULL;
CREATE TABLE passages(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL,
    start INTEGER NOT NULL,
    text TEXT NOT NULL,
    crc INTEGER NOT NULL
);
CREATE INDEX passages_of_document ON passages(document, start);
CREATE TABLE encoders(
    encoder INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    dim INTEGER NOT NULL,
    dtype TEXT NOT NULL,
    complete INTEGER NOT NULL,
    model TEXT NOT NULL,
    runtime TEXT NOT NULL
);
CREATE TABLE deleted(number INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE commits(version INTEGER PRIMARY KEY, commit_id BLOB NOT NULL);
"""


@contextmanager
def our_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite reports into what a user can act on."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        raise CorruptionError(f"{path} is damaged ({error}); restore a backup, or add the documents again") from None
    except apsw.FullError:
        raise ResourceError(f"no space left for {path}; free some and run the same command again") from None
    except WAITED_FOR:
        raise BusyError(f"{path} is busy in another process; try again") from None
    except apsw.NoMemError:
        raise ResourceError(f"out of memory while reading {path}; free some, or work on less at once") from None
    except apsw.IOError as error:
        if getattr(error, "extendedresult", None) == apsw.SQLITE_IOERR_DATA:
            raise CorruptionError(
                f"{path} is damaged (a page does not match its checksum); restore a backup, or add the documents again"
            ) from None
        raise ResourceError(
            f"{path} could not be read or written ({error}); see to the disk and run it again"
        ) from None
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError) as error:
        raise OpendprError(f"{path} cannot be opened ({error}); check its permissions") from None


def connect(path: Path, *, create: bool = False, cache_kibibytes: int = CACHE_KIBIBYTES) -> apsw.Connection:
    """Open a database with page checksums.

    A directory that cannot be written is opened as immutable, if no unfinished write-ahead log lies there.
    """
    apsw.sqlite_extra.load(apsw.Connection(":memory:"), "cksumvfs")
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI | (apsw.SQLITE_OPEN_CREATE if create else 0)
    uri = path.absolute().as_uri()
    if not os.access(path.parent, os.W_OK):
        if path.with_name(path.name + "-wal").exists():
            raise StateError(
                f"{path.parent} cannot be written, but holds an unfinished {path.name}-wal; "
                "open the collection once with write permission, then it can be read without"
            )
        uri += "?immutable=1"
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    with our_errors(path):
        try:
            return _configured(uri, flags, "NORMAL", cache_kibibytes)
        except apsw.IOError as error:
            if getattr(error, "extendedresult", None) != apsw.SQLITE_IOERR_SHMSIZE:
                raise
            # The disk is too full for the memory that processes share: who has the file alone needs none.
            return _configured(uri, flags, "EXCLUSIVE", cache_kibibytes)


def _configured(uri: str, flags: int, locking: str, cache_kibibytes: int) -> apsw.Connection:
    connection = apsw.Connection(uri, flags=flags, vfs="cksmvfs")
    with closed_on_error(connection):
        connection.create_scalar_function("as_number", lambda *values: as_number(values[0]), 1, deterministic=True)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.execute(f"PRAGMA locking_mode={locking}").fetchall()  # what comes after a row waits for it
        connection.execute("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY")
        connection.execute(f"PRAGMA cache_size={-cache_kibibytes}")
    return connection


@contextmanager
def closed_on_error(connection: apsw.Connection) -> Iterator[None]:
    """Close a connection that nobody will own, so that it holds no locks while the error is handled."""
    try:
        yield
    except BaseException:
        with suppress(apsw.Error):
            connection.close()
        raise


def create_database(path: Path, settings: dict[str, str]) -> None:
    """Make a new database under another name and rename it when it is whole.

    Raises:
        StateError: the log of another database lies there; SQLite would copy what it holds into the new one.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists():
        raise StateError(
            f"{log} lies there without its {path.name}, which is gone; put that back, or delete {path.parent} to "
            "start again"
        )
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    connection = connect(temporary, create=True)
    with our_errors(path), closed_on_error(connection):
        reserve_checksums(connection)
        connection.execute("BEGIN")  # not apsw's "with", which after some errors rolls back what SQLite has already
        connection.execute(SCHEMA)
        rows = {"format": str(COLLECTION_FORMAT), "collection_id": secrets.token_hex(16), **settings}
        connection.executemany("INSERT INTO settings VALUES(?, ?)", list(rows.items()))
        connection.execute("INSERT INTO commits VALUES(0, ?)", (secrets.token_bytes(16),))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
        if connection.execute("PRAGMA checksum_verification").get != "1":
            raise OpendprError(f"page checksums could not be turned on for {path}; install another build of apsw")
        connection.close()
    put_in_place(temporary, path)


def reserve_checksums(connection: apsw.Connection) -> None:
    """Keep room in every page of a new database for its checksum: 8 bytes, which take effect with the VACUUM."""
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.reserve_bytes("main", 8)
    connection.execute("VACUUM")


def read_settings(connection: apsw.Connection, path: Path) -> dict[str, str]:
    """The `settings` table, if it is of a format this version reads."""
    with our_errors(path):
        try:
            rows = connection.execute("SELECT key, value FROM settings").fetchall()
        except apsw.SQLError:
            if path.stat().st_size == 0:
                raise CorruptionError(f"{path} is empty; restore a backup, or delete it to start again") from None
            raise StateError(f"{path} is an SQLite file but not a collection; give another directory") from None
    settings = {str(key): str(value) for key, value in rows}
    if settings.get("format") != str(COLLECTION_FORMAT):
        raise StateError(
            f"{path.parent} is a collection of format {settings.get('format')}, this version of opendpr reads "
            f"format {COLLECTION_FORMAT}; install a newer opendpr"
        )
    return settings


def refuse_place(directory: Path) -> None:
    """Refuse a directory where no collection can be.

    Raises:
        StateError: it lies on a network file system, or its name is not UTF-8, which the index of words needs.
    """
    if not is_unicode(str(directory)):
        raise StateError(f"{str(directory)!r} is not valid UTF-8, as the name of a collection is; rename it")
    refuse_network_file_system(directory)


def refuse_network_file_system(directory: Path, mounts: str | None = None) -> None:
    """SQLite's write-ahead log does not work over a network.

    Args:
        mounts: lines as in `/proc/self/mounts`; None means those of this machine.

    Raises:
        StateError: the directory, or the nearest parent that exists, lies on one.
    """
    if mounts is None:
        path = Path("/proc/self/mounts")
        mounts = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    existing = next(parent for parent in (directory.absolute(), *directory.absolute().parents) if parent.exists())
    best, kind = "", ""
    for line in mounts.splitlines():
        _, point, type_, *_ = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point)
        if existing.resolve().is_relative_to(point) and len(point) >= len(best):
            best, kind = point, type_
    if kind in NETWORK_FILE_SYSTEMS:
        raise StateError(f"{directory} lies on a network file system ({kind}); put the collection on a local disk")
