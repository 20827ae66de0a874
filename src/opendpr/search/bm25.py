"""The BM25 cache of a collection: a tantivy index beside it that may be deleted at any time."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opendpr.collection import Collection, Writer
from opendpr.collection.rows import Version
from opendpr.errors import CorruptionError, ResourceError
from opendpr.iteration import OnStage, batched
from opendpr.search.seen import SEEN, read_seen, seen_of, version_of, write_seen
from opendpr.search.settings import WordSettings
from opendpr.search.tantivy import TantivyIndex
from opendpr.storage.atomic import put_in_place
from opendpr.storage.digests import file_sha256
from opendpr.text.normalising import ANALYSIS

logger = logging.getLogger(__name__)

DIRECTORY = "bm25"
REBUILT, REPLACED = "bm25.new", "bm25.old"
"""Where a cache is rebuilt, and where the one that it replaces waits to be removed."""
UPDATING = "updating"
"""Set in `seen.json` while a writer is at work: until it is done, files may come and go."""
ANALYSED = "analysis"
"""Key in `seen.json` of the version of `text.normalising` that the words were indexed with."""
FRESH = "fresh"
"""Set in `seen.json` of a cache whose statistics count no passage that was removed."""
COMMIT_PASSAGES = 20_000
"""Passages between commits of the cache."""
OPEN_ATTEMPTS, OPEN_PAUSE_SECONDS = 5, 0.02
"""How often a cache is opened that another one replaces meanwhile, and the time between."""


def open_bm25(collection: Collection, settings: WordSettings = WordSettings()) -> tuple[TantivyIndex, Version]:
    """The cache if it belongs to this collection, else the same index built in memory.

    Returns:
        The index, and the state of the collection that it knows.
    """
    for _ in range(OPEN_ATTEMPTS):
        stamp, trouble = bm25_stamp(collection), ""
        try:
            if opened := _open(collection, settings):
                return opened
        except CorruptionError as error:
            trouble = str(error)
        if bm25_stamp(collection) == stamp and not (collection.directory / REPLACED).exists():
            break
        time.sleep(OPEN_PAUSE_SECONDS)  # it was replaced meanwhile, or is at this moment
    if trouble:
        logger.warning("%s", trouble)
    elif _seen(collection) is None:
        logger.warning("no valid BM25 cache in %s: built in memory; any 'opendpr add' writes it", collection.directory)
    version = collection.version()
    index = TantivyIndex(settings=settings)
    index.update([], collection.passages_after(0))
    return index, version


def _open(collection: Collection, settings: WordSettings) -> tuple[TantivyIndex, Version] | None:
    """The cache on disk; None if none belongs to the collection, or it cannot be read where it is."""
    directory, seen = collection.directory / DIRECTORY, _seen(collection)
    if seen is None:
        return None
    if not os.access(directory, os.W_OK):  # tantivy makes a lock file even to read
        logger.info("%s cannot be written: the BM25 index is built in memory", directory)
        return None
    return TantivyIndex(directory, settings), seen


def bm25_stamp(collection: Collection) -> object:
    """A value that changes when the cache learns more or another one takes its place."""
    try:
        return _seen(collection), os.stat(collection.directory / DIRECTORY).st_ino
    except FileNotFoundError:
        return None


def update_bm25(writer: Writer) -> None:
    """Bring the cache up to date; only the holder of the collection's lock may do this.

    Each number is deleted, then added, so that doing it twice is harmless.

    Raises:
        ResourceError: the disk is full, or the cache cannot be written for another reason.
    """
    directory = writer.directory / DIRECTORY
    with _our_errors(directory):
        _tidy(writer.directory)
        try:
            _update(writer, directory)
        except (OSError, ValueError) as error:  # tantivy reports any trouble with files as a ValueError
            # A kill can leave files under names that tantivy wants again; on a full disk the second try fails too.
            logger.info("%s could not be brought up to date (%s): it is rebuilt", directory, error)
            shutil.rmtree(directory, ignore_errors=True)
            _update(writer, directory)


def rebuild_bm25(writer: Writer, on_progress: OnStage = lambda what, done, total: None) -> None:
    """Make the statistics of the cache forget removed passages: rebuild it, unless it counts none.

    The old cache is searched until the new one takes its place, and stays if this is interrupted.

    Raises:
        ResourceError: the disk is full, or the cache cannot be written for another reason.
    """
    directory, rebuilt = writer.directory / DIRECTORY, writer.directory / REBUILT
    with _our_errors(directory):
        _tidy(writer.directory)
        if _is_fresh(writer):
            return
        total, done, last = writer.count_passages(), 0, 0
        rebuilt.mkdir()
        index = TantivyIndex(rebuilt)
        index.update([], [])
        for batch in batched(writer.passages_after(0), COMMIT_PASSAGES):
            index.update([], batch)
            done, last = done + len(batch), batch[-1].number
            on_progress("words", done, total)
        _note(writer, rebuilt, last, {path.name: file_sha256(path) for path in _files(rebuilt)}, fresh=True)
        if directory.exists():
            os.rename(directory, writer.directory / REPLACED)
        put_in_place(rebuilt, directory)
        shutil.rmtree(writer.directory / REPLACED, ignore_errors=True)


def _tidy(directory: Path) -> None:
    """Finish what an interrupted rebuild left: a whole cache takes its place, half a cache is removed."""
    if not (directory / DIRECTORY).exists() and (directory / REBUILT / SEEN).exists():
        put_in_place(directory / REBUILT, directory / DIRECTORY)
    for name in (REBUILT, REPLACED):
        shutil.rmtree(directory / name, ignore_errors=True)


@contextmanager
def _our_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise ResourceError(
            f"the BM25 index in {directory} could not be written ({error}); "
            "check the disk and run the same command again; the documents themselves are safe"
        ) from None


def _is_fresh(writer: Writer) -> bool:
    """Whether the cache is whole and up to date, and no passage was ever removed from it."""
    directory = writer.directory / DIRECTORY
    if _seen(writer) != writer.version():
        return False
    seen = read_seen(directory)
    return bool(seen.get(FRESH)) and not seen.get(UPDATING) and not _damaged(directory)


def _note(writer: Writer, directory: Path, last_number: int, files: dict[str, str], *, fresh: bool) -> None:
    state: dict[str, Any] = {"collection_id": writer.id, **writer.version()._asdict(), "last_number": last_number}
    write_seen(directory, {**state, ANALYSED: ANALYSIS, FRESH: fresh, "files": files})


def _update(writer: Writer, directory: Path) -> None:
    seen = _seen(writer)
    version = writer.version()
    try:
        if seen and seen != version and (damaged := _damaged(directory)):
            raise CorruptionError(damaged[0])  # merging would spread it under a new checksum
        index = TantivyIndex(directory) if seen else None
    except CorruptionError as error:
        logger.warning("%s: it is rebuilt", error)
        index = seen = None
    if index is None:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(exist_ok=True)
        index = TantivyIndex(directory)
    elif seen == version:
        return
    removed = writer.deleted_since(seen.version) if seen else []
    noted = read_seen(directory) if seen else {FRESH: True}
    # What an interrupted writer added is added again, after its first form is deleted.
    fresh = bool(noted.get(FRESH)) and not noted.get(UPDATING) and not removed
    kept = _begin_update(directory) if seen else {}
    index.update(removed, [])
    last = int(noted["last_number"]) if seen else 0
    for batch in batched(writer.passages_after(last), COMMIT_PASSAGES):
        index.update([], batch)
        last = batch[-1].number
    files = {path.name: kept.get(path.name) or file_sha256(path) for path in _files(directory)}
    _note(writer, directory, last, files, fresh=fresh)


def _begin_update(directory: Path) -> dict[str, str]:
    """Note for `verify` that files will change; returns the checksums of those that tantivy never changes."""
    seen = read_seen(directory)
    write_seen(directory, {**seen, UPDATING: True})
    return {name: stored for name, stored in seen["files"].items() if not name.endswith(".json")}


def verify_bm25(collection: Collection) -> list[str]:
    """What is wrong with the cache: its files are compared with the checksums noted when they were written.

    A missing cache is no damage. A cache that has seen a newer version than the store has shows that the store lost
    its last commits.
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
        if not path.exists():  # another one takes its place at this moment
            return verify_bm25(collection)
        return [f"{path} is damaged ({error!r}); delete {directory}, the next 'opendpr add' writes it again"]
    problems = []
    if seen.get("collection_id") == collection.id and version > collection.version().version:
        problems.append(
            f"{collection.path} is at version {collection.version().version}, but {path} has seen version {version}: "
            "the last commits were lost with their write-ahead log; add the documents again"
        )
    return problems + [f"{what}; delete {directory}, the next 'opendpr add' writes it again" for what in damaged]


def _damaged(directory: Path) -> list[str]:
    """Files that are not as noted; while a cache is being written, only those that never change are compared."""
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
    """How many passages are newer than the cache, so that BM25 does not find them."""
    record = _record(collection)
    if record is None:
        return 0  # without a cache the index is built in memory, from everything
    return sum(1 for _ in collection.passages_after(int(record["last_number"])))


def _seen(collection: Collection) -> Version | None:
    """The state of the collection that the cache has seen; None if it belongs to another collection."""
    record = _record(collection)
    return version_of(record) if record else None


def _record(collection: Collection) -> dict[str, Any] | None:
    """The content of `seen.json`, if the cache belongs to this collection and can be searched."""
    directory = collection.directory / DIRECTORY
    whole = (directory / "meta.json").exists()  # tantivy would make an empty one
    seen = seen_of(collection, directory) if whole else None
    return seen if seen and seen.get(ANALYSED) == ANALYSIS else None  # words of another form would not be found


def _files(directory: Path) -> list[Path]:
    """What tantivy wrote: segments, which never change, and `meta.json` and the like, which do."""
    return [
        path
        for path in sorted(directory.iterdir())
        if path.is_file() and not path.name.startswith(SEEN) and path.suffix != ".lock"
    ]
