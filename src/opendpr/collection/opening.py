"""Opening a collection: for reading at any time, for writing by whoever holds its lock."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TypeVar

import filelock

from opendpr.collection.collection import Collection
from opendpr.collection.collection_set import CollectionSet
from opendpr.collection.database import (
    DATABASE,
    connect,
    create_database,
    refuse_place,
)
from opendpr.collection.set_manifest import is_set, read_manifest
from opendpr.collection.set_writer import MemberWriter, SetWriter
from opendpr.collection.writer import Writer
from opendpr.errors import BusyError, OpendprError, ResourceError, StateError, UsageError
from opendpr.storage.atomic import make_directory
from opendpr.text.splitting import Splitter

logger = logging.getLogger(__name__)

AnyWriter = TypeVar("AnyWriter", bound=Writer)

LOCK_FILE = "collection.lock"
"""File that the one process which writes holds locked."""
CACHE_DIRECTORIES = ("bm25", "dense")
"""Directories beside the database that may be deleted at any time."""


def open_collection(directory: Path, *, allow_partial: bool = False) -> Collection:
    """Open a collection for reading, or a set of them.

    Args:
        allow_partial: open a set without the members that are not there or cannot be read

    Raises:
        BusyError: a member of a set is not there.
        StateError: it is not a collection, or has another format, or on a network file system.
    """
    if is_set(directory):
        return _open_set(directory, allow_partial=allow_partial)
    path = directory / DATABASE
    if not path.is_file():
        raise StateError(_no_collection(directory))
    refuse_place(directory)
    return Collection(directory, connect(path))


def _open_set(directory: Path, *, allow_partial: bool) -> CollectionSet:
    """The members of a set, opened for reading; raises as `open_collection`."""
    manifest, members, missing = read_manifest(directory), dict[int, Collection](), dict[str, str]()
    with ExitStack() as opened:
        for place, path in enumerate(manifest.directories(directory)):
            if not has_database(path):
                missing[path.name] = "is not there"
                continue
            try:
                members[place] = opened.enter_context(open_collection(path))
            except OpendprError as error:
                if not allow_partial or isinstance(error, BusyError):
                    raise
                missing[path.name] = f"cannot be read ({error})"
            else:
                refuse_other_member(members[place], manifest.members[place])
        if not members or (missing and not allow_partial):
            raise BusyError(missing_members(directory, list(missing)))
        for name, reason in missing.items():
            logger.warning("%s of %s %s: its share of the passages cannot be found", name, directory, reason)
        opened.pop_all()
    return CollectionSet(directory, manifest, members)


def file_identity(directory: Path) -> tuple[int, int]:
    """A value that stays the same as long as the database is not replaced by another.

    Raises:
        StateError: there is none.
    """
    try:
        status = os.stat(directory / DATABASE)
    except OSError as error:
        raise StateError(
            f"{directory / DATABASE} is gone ({error.strerror}); restore it, or stop the service"
        ) from None
    return status.st_dev, status.st_ino


def has_database(directory: Path) -> bool:
    """Whether a collection is in a directory, as far as can be seen: a disk that is gone may answer with errors."""
    return os.path.isfile(directory / DATABASE)


def missing_members(directory: Path, names: Sequence[str]) -> str:
    """What to say where members of a set are not there."""
    are = "is" if len(names) == 1 else "are"
    return (
        f"{' and '.join(names)} of {directory} {are} not there; mount the disk, check its permissions, or restore a "
        "backup in that place, then try again"
    )


def refuse_other_member(member: Collection, expected: str) -> None:
    """Raises StateError if a collection lies in the place of another one."""
    if member.id != expected:
        raise StateError(
            f"{member.directory} is another collection ({member.id[:12]}) than the one that the set was made with "
            f"({expected[:12]}); put that one back"
        )


def opened_collection(collection: str | Path | Collection) -> AbstractContextManager[Collection]:
    """A collection for a `with` block, which closes it only if a path was given; raises as `open_collection`."""
    return nullcontext(collection) if isinstance(collection, Collection) else open_collection(Path(collection))


def is_collection(path: Path) -> bool:
    """Whether a path is that of a collection, or of a set."""
    return (path / DATABASE).exists() or is_set(path)


def holds_documents(path: Path) -> bool:
    """Whether a path is a folder or a file of documents, not a collection."""
    return path.exists() and not is_collection(path) and not (path / LOCK_FILE).exists()


def _no_collection(path: Path) -> str:
    """What is wrong with a path that is no collection, and the command that makes one."""
    if not path.exists():
        return f"{path} is not a collection (it does not exist); make it with 'opendpr add {path} FILE...'"
    lacks = f"it has no {DATABASE}" if path.is_dir() else "it is a file"
    return (
        f"{path} is not a collection ({lacks}); if it holds documents, make one of them with "
        f"'opendpr add NAME {path}', then give NAME to this command"
    )


@contextmanager
def open_writer(
    directory: Path, splitter: Splitter | None = None, *, wait_seconds: float = 0, resplit: bool = False
) -> Iterator[Writer]:
    """Open a collection for writing, making it if it is not there, or a set of them.

    A new one in which nothing was stored until an error ended the work is removed again.

    Args:
        splitter: how documents are cut; None means as before, or the default in a new collection.
        wait_seconds: how long to wait while another process writes.
        resplit: if the documents were cut otherwise, cut them again.

    Raises:
        BusyError: another process writes, and did not finish within `wait_seconds`; or a member of a set is not there.
        StateError: the directory holds something else, or lies on a network file system.
        UsageError: the collection was made with another splitter, and `resplit` is not given.
    """
    if is_set(directory):
        with _open_set_writer(directory, wait_seconds=wait_seconds) as set_writer:
            _cut_by(set_writer, splitter, resplit=resplit)
            yield set_writer
        return
    with _open_writer(directory, Writer, splitter, wait_seconds=wait_seconds) as writer:
        _cut_by(writer, splitter, resplit=resplit)
        yield writer


@contextmanager
def _open_set_writer(directory: Path, *, wait_seconds: float) -> Iterator[SetWriter]:
    """The writers of all members of a set, opened in their order, so that two processes never wait for each other."""
    manifest = read_manifest(directory)
    paths = manifest.directories(directory)
    if missing := [path.name for path in paths if not has_database(path)]:
        raise BusyError(missing_members(directory, missing))
    with ExitStack() as opened:
        members = {
            place: opened.enter_context(_open_writer(path, MemberWriter, None, wait_seconds=wait_seconds))
            for place, path in enumerate(paths)
        }
        for place, member in members.items():
            refuse_other_member(member, manifest.members[place])
        yield SetWriter(directory, manifest, members)


@contextmanager
def _open_writer(
    directory: Path, kind: type[AnyWriter], splitter: Splitter | None, *, wait_seconds: float
) -> Iterator[AnyWriter]:
    """The writer of one collection, which is made if it is not there; raises as `open_writer`."""
    refuse_place(directory)
    made = not directory.exists()
    lock = _locked(directory, wait_seconds)
    process, empty = os.getpid(), False
    try:
        created = _create_if_missing(directory, splitter)
        writer = kind(directory, connect(directory / DATABASE))
        try:
            yield writer
        except BaseException:
            with suppress(OpendprError):
                empty = created and not writer.has_documents()
            raise
        finally:
            writer.close()
    finally:
        if os.getpid() == process:  # a fork shares the lock, and must not give it up
            if empty:
                _take_back(directory, made)
            lock.release()


def _locked(directory: Path, wait_seconds: float) -> filelock.BaseFileLock:
    """The lock of a collection, held; its directory is made if it is not there."""
    if not (directory / DATABASE).exists() and directory.is_dir() and any(map(_is_foreign, directory.iterdir())):
        raise StateError(f"{directory} is a directory with other files, not a collection; give a new directory")
    try:
        make_directory(directory)
        lock = filelock.FileLock(directory / LOCK_FILE, timeout=wait_seconds)
        lock.acquire()
    except filelock.Timeout:
        raise BusyError(
            f"another process is writing {directory}; wait for it, or let this one wait with --wait SECONDS"
        ) from None
    except (FileExistsError, NotADirectoryError):
        raise StateError(f"{directory} is a file, or lies below one; give a directory") from None
    except PermissionError as error:
        raise OpendprError(f"{directory} cannot be written ({error.strerror}); check its permissions") from None
    except OSError as error:
        raise ResourceError(f"{directory} cannot be written ({error.strerror}); see to the disk") from None
    return lock


def _is_foreign(path: Path) -> bool:
    """Whether a file is one that a collection without a database cannot have."""
    return path.name != LOCK_FILE and not path.name.startswith(DATABASE)


def _create_if_missing(directory: Path, splitter: Splitter | None) -> bool:
    """Make the database if there is none; returns whether it was made.

    Raises:
        OpendprError: it cannot be written.
    """
    path = directory / DATABASE
    if created := not path.exists():
        create_database(path, {"splitter": json.dumps((splitter or Splitter()).__dict__)})
    if not os.access(path, os.W_OK) or not os.access(directory, os.W_OK):
        raise OpendprError(f"{path} cannot be written; check its permissions")
    return created


def _cut_by(writer: Writer, splitter: Splitter | None, *, resplit: bool) -> None:
    """Ensure that documents are cut by a splitter, if one is given; those that are there are cut again on demand.

    Raises:
        UsageError: the collection was made with another one, and `resplit` is not given.
    """
    if splitter is None or splitter == writer.splitter:
        return
    if not resplit:
        raise UsageError(
            f"{writer.directory} was made with {writer.splitter}, now {splitter} was asked for; "
            "use the same settings, cut all documents again with --resplit, or give another directory"
        )
    writer.resplit(splitter)


def _take_back(directory: Path, made: bool) -> None:
    """Remove a collection that holds nothing, and its directory if it was made for it and nothing else came there.

    A cache is moved to a name of the database's first: what still writes to it by its path finds it no more, and what
    cannot be removed is not taken for a foreign file.
    """
    for path in directory.iterdir():
        if path.name in CACHE_DIRECTORIES:
            shutil.rmtree(moved := directory / f"{DATABASE}-{path.name}", ignore_errors=True)
            shutil.rmtree(path.rename(moved), ignore_errors=True)
        elif path.is_dir() and path.name.startswith(DATABASE):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name == LOCK_FILE or path.name.startswith(DATABASE):
            path.unlink(missing_ok=True)
    if made:
        with suppress(OSError):
            directory.rmdir()
