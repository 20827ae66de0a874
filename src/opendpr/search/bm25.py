"""The BM25 cache of a collection: a tantivy index beside it that may be deleted at any time."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opendpr.collection import Collection, Writer
from opendpr.collection.parts import joined
from opendpr.collection.rows import Version
from opendpr.errors import CorruptionError, ResourceError
from opendpr.iteration import OnStage, batched
from opendpr.search.cache import attempts, check_cache, damaged_files
from opendpr.search.seen import SEEN_FILE, read_seen, seen_of, version_of, write_seen
from opendpr.search.settings import WordSettings
from opendpr.search.tantivy import TantivyIndex, WordTotals
from opendpr.storage.atomic import put_in_place
from opendpr.storage.digests import file_sha256
from opendpr.text.normalising import ANALYSIS_VERSION

logger = logging.getLogger(__name__)

BM25_DIRECTORY = "bm25"
REBUILT_DIRECTORY, REPLACED_DIRECTORY = "bm25.new", "bm25.old"
"""Where a cache is rebuilt, and where the one that it replaces waits to be removed."""
UPDATING_KEY = "updating"
"""Set in `seen.json` while a writer is at work: until it is done, files may come and go."""
ANALYSIS_KEY = "analysis"
"""Key in `seen.json` of the version of `text.normalising` that the words were indexed with."""
FRESH_KEY = "fresh"
"""Set in `seen.json` of a cache whose statistics count no passage that was removed."""
TOTALS_KEY = "totals"
"""Key in `seen.json` of the passages and words that were counted; caches of earlier versions have none."""
COMMIT_PASSAGES = 20_000
"""Passages between commits of the cache."""


def open_bm25(collection: Collection, settings: WordSettings = WordSettings()) -> tuple[TantivyIndex, Version]:
    """The cache if it belongs to this collection, else the same index built in memory.

    Returns:
        The index, and the state of the collection that it knows.
    """
    trouble = ""
    for _ in attempts(lambda: _replacement_stamp(collection)):
        trouble = ""
        try:
            if opened := _open(collection, settings):
                return opened
        except CorruptionError as error:
            trouble = str(error)
    if trouble:
        logger.warning("%s", trouble)
    elif _seen_version(collection) is None:
        logger.warning("no valid BM25 cache in %s: built in memory; any 'opendpr add' writes it", collection.directory)
    version = collection.version()
    index = TantivyIndex(settings=settings)
    index.update([], collection.passages_after(0), all_new=True)
    return index, version


def _open(collection: Collection, settings: WordSettings) -> tuple[TantivyIndex, Version] | None:
    """The cache on disk; None if none belongs to the collection, or it cannot be read where it is."""
    directory, seen_version = collection.directory / BM25_DIRECTORY, _seen_version(collection)
    if seen_version is None:
        return None
    if not os.access(directory, os.W_OK):  # tantivy makes a lock file even to read
        logger.info("%s cannot be written: the BM25 index is built in memory", directory)
        return None
    return TantivyIndex(directory, settings, totals=_totals(directory)), seen_version


def _totals(directory: Path) -> WordTotals:
    """What the index in the cache has counted; nothing in one of an earlier version."""
    return WordTotals(*read_seen(directory).get(TOTALS_KEY, ()))


def bm25_stamp(collection: Collection) -> object:
    """A value that changes when the cache learns more or another one takes its place."""
    try:
        return _seen_version(collection), os.stat(collection.directory / BM25_DIRECTORY).st_ino
    except FileNotFoundError:
        return None


def _replacement_stamp(collection: Collection) -> object:
    """`bm25_stamp`, or a value that equals no other while another cache takes the place of this one."""
    return object() if (collection.directory / REPLACED_DIRECTORY).exists() else bm25_stamp(collection)


def update_bm25(writer: Writer) -> None:
    """Bring the cache up to date; only the holder of the collection's lock may do this.

    After an interruption each number is deleted, then added, so that doing it twice is harmless.

    Raises:
        ResourceError: the disk is full, or the cache cannot be written for another reason.
    """
    for part in writer.parts:
        _update_part(part)


def _update_part(writer: Writer) -> None:
    directory = writer.directory / BM25_DIRECTORY
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
    directory, rebuilt = writer.directory / BM25_DIRECTORY, writer.directory / REBUILT_DIRECTORY
    with _our_errors(directory):
        _tidy(writer.directory)
        if _is_fresh(writer):
            return
        total, done, last = writer.count_passages(), 0, 0
        rebuilt.mkdir()
        index = TantivyIndex(rebuilt)
        index.update([], [])
        for batch in batched(writer.passages_after(0), COMMIT_PASSAGES):
            index.update([], batch, all_new=True)
            done, last = done + len(batch), batch[-1].number
            on_progress("words", done, total)
        files = {path.name: file_sha256(path) for path in _files(rebuilt)}
        _note(writer, rebuilt, last, files=files, totals=index.totals, fresh=True)
        if directory.exists():
            os.rename(directory, writer.directory / REPLACED_DIRECTORY)
        put_in_place(rebuilt, directory)
        shutil.rmtree(writer.directory / REPLACED_DIRECTORY, ignore_errors=True)


def _tidy(directory: Path) -> None:
    """Finish what an interrupted rebuild left: a whole cache takes its place, half a cache is removed."""
    if not (directory / BM25_DIRECTORY).exists() and (directory / REBUILT_DIRECTORY / SEEN_FILE).exists():
        put_in_place(directory / REBUILT_DIRECTORY, directory / BM25_DIRECTORY)
    for name in (REBUILT_DIRECTORY, REPLACED_DIRECTORY):
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
    directory = writer.directory / BM25_DIRECTORY
    if _seen_version(writer) != writer.version():
        return False
    record = read_seen(directory)
    return (
        TOTALS_KEY in record
        and bool(record.get(FRESH_KEY))
        and not record.get(UPDATING_KEY)
        and not _damaged(directory)
    )


def _note(
    writer: Writer, directory: Path, last_number: int, *, files: dict[str, str], totals: WordTotals, fresh: bool
) -> None:
    state: dict[str, Any] = {"collection_id": writer.id, **writer.version()._asdict(), "last_number": last_number}
    write_seen(
        directory, {**state, ANALYSIS_KEY: ANALYSIS_VERSION, FRESH_KEY: fresh, TOTALS_KEY: totals, "files": files}
    )


def _update(writer: Writer, directory: Path) -> None:
    seen_version = _seen_version(writer)
    version = writer.version()
    try:
        if seen_version and seen_version != version and (damaged := _damaged(directory)):
            raise CorruptionError(damaged[0])  # merging would spread it under a new checksum
        index = TantivyIndex(directory, totals=_totals(directory)) if seen_version else None
    except CorruptionError as error:
        logger.warning("%s: it is rebuilt", error)
        index = seen_version = None
    if index is None:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(exist_ok=True)
        index = TantivyIndex(directory)
    elif seen_version == version:
        return
    removed = writer.deleted_since(seen_version.version) if seen_version else []
    noted = read_seen(directory) if seen_version else {FRESH_KEY: True}
    # What an interrupted writer added is added again, after its first form is deleted.
    interrupted = bool(noted.get(UPDATING_KEY))
    fresh = bool(noted.get(FRESH_KEY)) and not interrupted and not removed
    kept = _begin_update(directory) if seen_version else {}
    index.update(removed, [])
    last = int(noted["last_number"]) if seen_version else 0
    for batch in batched(writer.passages_after(last), COMMIT_PASSAGES):
        index.update([], batch, all_new=not interrupted)
        last = batch[-1].number
    files = {path.name: kept.get(path.name) or file_sha256(path) for path in _files(directory)}
    _note(writer, directory, last, files=files, totals=index.totals, fresh=fresh)


def _begin_update(directory: Path) -> dict[str, str]:
    """Note for `verify` that files will change; returns the checksums of those that tantivy never changes."""
    record = read_seen(directory)
    write_seen(directory, {**record, UPDATING_KEY: True})
    return {name: stored for name, stored in record["files"].items() if not name.endswith(".json")}


def verify_bm25(collection: Collection) -> list[str]:
    """What is wrong with the cache: its files are compared with the checksums noted when they were written.

    A missing cache is no damage. A cache that has seen a newer version than the store has shows that the store lost
    its last commits.
    """
    directory = collection.directory / BM25_DIRECTORY
    remedy = f"delete {directory}, the next 'opendpr add' writes it again"
    record, problems = check_cache(directory, lambda record: _checked_files(directory, record), remedy)
    if record is None or record.get("collection_id") != collection.id:
        return problems
    newest, version = collection.version().version, int(record["version"])
    if version > newest:
        lost = (
            f"{collection.path} is at version {newest}, but {directory / SEEN_FILE} has seen version {version}: "
            "the last commits were lost with their write-ahead log; add the documents again"
        )
        return [lost, *problems]
    return problems


def _damaged(directory: Path) -> list[str]:
    """What is wrong with the files that can be compared now."""
    return damaged_files(_checked_files(directory, read_seen(directory)))


def _checked_files(directory: Path, record: Mapping[str, Any]) -> dict[Path, str]:
    """Files with their SHA-256; while the cache is being written, only those that never change."""
    files = {directory / name: stored for name, stored in dict(record["files"]).items()}
    if not record.get(UPDATING_KEY):
        return files
    return {file: stored for file, stored in files.items() if file.suffix != ".json" and file.is_file()}


@joined(sum)
def unseen_passages(collection: Collection) -> int:
    """How many passages are newer than the cache, so that BM25 does not find them."""
    record = _record(collection)
    if record is None:
        return 0  # without a cache the index is built in memory, from everything
    return sum(1 for _ in collection.passages_after(int(record["last_number"])))


def _seen_version(collection: Collection) -> Version | None:
    """The state of the collection that the cache has seen; None if it belongs to another collection."""
    record = _record(collection)
    return version_of(record) if record else None


def _record(collection: Collection) -> dict[str, Any] | None:
    """The content of `seen.json`, if the cache belongs to this collection and can be searched."""
    directory = collection.directory / BM25_DIRECTORY
    whole = (directory / "meta.json").exists()  # tantivy would make an empty one
    record = seen_of(collection, directory) if whole else None
    return (
        record if record and record.get(ANALYSIS_KEY) == ANALYSIS_VERSION else None
    )  # words of another form would not be found


def _files(directory: Path) -> list[Path]:
    """What tantivy wrote: segments, which never change, and `meta.json` and the like, which do."""
    return [
        path
        for path in sorted(directory.iterdir())
        if path.is_file() and not path.name.startswith(SEEN_FILE) and path.suffix != ".lock"
    ]
