"""The BM25 cache of a collection: a tantivy index beside it that may be deleted at any time."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from opendpr.collection import Collection, Writer
from opendpr.collection.rows import Version
from opendpr.errors import CorruptionError, ResourceError
from opendpr.formats import file_sha256
from opendpr.index.seen import SEEN, read_seen, write_seen
from opendpr.index.tantivy import TantivyIndex
from opendpr.iteration import batched

logger = logging.getLogger(__name__)

DIRECTORY = "bm25"
UPDATING = "updating"
"""Noted in `seen.json` while a writer is at work: until it is done, files may come and go."""
BATCH = 20_000
"""Passages between commits of the cache."""


def open_bm25(collection: Collection) -> tuple[TantivyIndex, Version]:
    """The cache if it belongs to this collection, otherwise the same index built in memory.

    Returns:
        The index, and the state of the collection that it knows.
    """
    directory = collection.directory / DIRECTORY
    seen = _seen(collection)
    if seen is not None and not os.access(directory, os.W_OK):  # tantivy makes a lock file even to read
        logger.info("%s cannot be written: the BM25 index is built in memory", directory)
    elif seen is not None:
        try:
            return TantivyIndex(directory), seen
        except CorruptionError as error:
            logger.warning("%s", error)
    else:
        logger.warning("no valid BM25 cache in %s: built in memory; any 'opendpr add' writes it", collection.directory)
    version = collection.version()
    index = TantivyIndex()
    index.update([], collection.passages_after(0))
    return index, version


def update_bm25(writer: Writer) -> None:
    """Bring the cache up to date; only the holder of the collection's lock may do this.

    Each number is deleted, then added, so that catching up twice is harmless.

    Raises:
        ResourceError: the disk is full, or does not take the cache for another reason.
    """
    directory = writer.directory / DIRECTORY
    try:
        try:
            _update(writer, directory)
        except (OSError, ValueError) as error:  # tantivy reports any trouble with files as a ValueError
            # A kill can leave files under names that tantivy wants again; of a full disk the second try speaks.
            logger.info("%s could not be brought up to date (%s): it is built anew", directory, error)
            shutil.rmtree(directory, ignore_errors=True)
            _update(writer, directory)
    except (OSError, ValueError) as error:
        raise ResourceError(
            f"the BM25 index in {directory} could not be written ({error}); "
            "see to the disk and run the same command again, the documents themselves are safe"
        ) from None


def rebuild_bm25(writer: Writer) -> None:
    """Build the cache anew, so that its statistics forget removed passages; a kill leaves none, which is valid too.

    Raises:
        ResourceError: the disk is full, or does not take the cache for another reason.
    """
    shutil.rmtree(writer.directory / DIRECTORY, ignore_errors=True)
    update_bm25(writer)


def _update(writer: Writer, directory: Path) -> None:
    seen = _seen(writer)
    version = writer.version()
    try:
        if seen and seen != version and (damaged := _damaged(directory)):
            raise CorruptionError(damaged[0])  # merging would spread it under a new checksum
        index = TantivyIndex(directory) if seen else None
    except CorruptionError as error:
        logger.warning("%s: it is built anew", error)
        index = seen = None
    if index is None:
        shutil.rmtree(directory, ignore_errors=True)
        index = TantivyIndex(directory)
    elif seen == version:
        return
    kept = _begin_update(directory) if seen else {}
    index.update(writer.deleted_since(seen.version) if seen else [], [])
    last = _last_number(directory) if seen else 0
    for batch in batched(writer.passages_after(last), BATCH):
        index.update([], batch)
        last = batch[-1].number
    files = {path.name: kept.get(path.name) or file_sha256(path) for path in _files(directory)}
    write_seen(directory, {"collection_id": writer.id, **version._asdict(), "last_number": last, "files": files})


def _begin_update(directory: Path) -> dict[str, str]:
    """Note that files will change, for `verify`; returns checksums of those that tantivy never changes."""
    seen = read_seen(directory)
    write_seen(directory, {**seen, UPDATING: True})
    return {name: stored for name, stored in seen["files"].items() if not name.endswith(".json")}


def verify_bm25(collection: Collection) -> list[str]:
    """What is wrong with the cache: its files against the checksums noted when they were written.

    A cache that is not there is no damage. One that has seen a newer version than the store has says
    that the store lost its last commits.
    """
    directory = collection.directory / DIRECTORY
    path = directory / SEEN
    if not path.exists():
        return []
    try:
        seen = read_seen(directory)
        version = int(seen["version"])
        damaged = _damaged(directory)
        if read_seen(directory) != seen:  # a writer was at work
            return verify_bm25(collection)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{path} is damaged ({error!r}); delete {directory}, the next 'opendpr add' writes it again"]
    problems = []
    if seen.get("collection_id") == collection.id and version > collection.version().version:
        problems.append(
            f"{collection.path} is at version {collection.version().version}, but {path} has seen version {version}: "
            "the last commits were lost with their write-ahead log; add the documents again"
        )
    return problems + [f"{what}; delete {directory}, the next 'opendpr add' writes it again" for what in damaged]


def _damaged(directory: Path) -> list[str]:
    """Files that are not as noted; of a cache being written, or left so by a kill, only what never changes."""
    seen = read_seen(directory)
    updating, damaged = seen.get(UPDATING, False), []
    for name, stored in dict(seen["files"]).items():
        file = directory / name
        if updating and (name.endswith(".json") or not file.is_file()):
            continue
        try:
            if file_sha256(file) != stored:
                damaged.append(f"{file} does not match its checksum")
        except FileNotFoundError:
            damaged.append(f"{file} is missing")
    return damaged


def unseen_passages(collection: Collection) -> int:
    """How many passages are newer than the cache and so not found by BM25."""
    if _seen(collection) is None:
        return 0  # without a cache the index is built in memory, from everything
    return sum(1 for _ in collection.passages_after(_last_number(collection.directory / DIRECTORY)))


def _seen(collection: Collection) -> Version | None:
    """The state of the collection that the cache has seen; None if it is not this collection's."""
    try:
        seen = read_seen(collection.directory / DIRECTORY)
        version = Version(seen["version"], seen["commit_id"])
        valid = seen["collection_id"] == collection.id and collection.has_commit(version)
        valid = valid and (collection.directory / DIRECTORY / "meta.json").exists()  # tantivy would make an empty one
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return version if valid else None


def _last_number(directory: Path) -> int:
    return int(read_seen(directory)["last_number"])


def _files(directory: Path) -> list[Path]:
    """What tantivy wrote: segments, which never change, and `meta.json` and the like, which do."""
    return [
        path
        for path in sorted(directory.iterdir())
        if path.is_file() and not path.name.startswith(SEEN) and path.suffix != ".lock"
    ]
