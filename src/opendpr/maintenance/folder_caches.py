"""The cached collections of folders and files: what there is, when it was used, and removing it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import filelock
import platformdirs

from opendpr.collection import open_collection
from opendpr.collection.opening import LOCK_FILE
from opendpr.errors import BusyError, OpendprError
from opendpr.storage.atomic import write_json

SOURCE_FILE = "folder.json"
"""Beside a cached collection: which folder or file it is of; its time is that of the last use."""
REMOVED_SUFFIX = ".removed"
"""Ends the name of a cached collection whose removal was interrupted."""


class CachedFolder(NamedTuple):
    """A cached collection."""

    directory: Path
    source: str | None
    """The folder or file that it is of; None if that was not noted."""
    passages: int | None
    """None if the collection cannot be opened."""
    size_bytes: int
    last_use: str
    """Date and time in UTC, as ISO 8601 writes them."""


def cache_root() -> Path:
    """The directory of all cached collections."""
    return Path(platformdirs.user_cache_dir("opendpr")) / "folders"


def note_use(cache: Path, source: Path) -> None:
    """Note beside a cached collection which folder or file it is of, and that it is used now."""
    note = cache / SOURCE_FILE
    if _source(cache) != str(source.resolve()):
        write_json(note, {"source": str(source.resolve())})
    os.utime(note)


def latest_cache(source: Path) -> Path | None:
    """The cached collection of a folder or file that was used last, of whichever model; None if there is none."""
    notes = [note for note in cache_root().glob(f"*/{SOURCE_FILE}") if _source(note.parent) == str(source.resolve())]
    return max(notes, key=lambda note: note.stat().st_mtime).parent if notes else None


def cached_folders() -> list[CachedFolder]:
    """All cached collections, the one used last first; also those whose removal was interrupted."""
    root = cache_root()
    directories = [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    return sorted(map(_described, directories), key=lambda cached: (cached.last_use, cached.directory), reverse=True)


def clear_caches(caches: Sequence[CachedFolder]) -> None:
    """Remove cached collections; they are rebuilt when their folders are asked again.

    Raises:
        BusyError: a process writes one of them; those before it are gone.
    """
    for cached in caches:
        directory = cached.directory
        removed = directory.with_name(f"{directory.name.removesuffix(REMOVED_SUFFIX)}{REMOVED_SUFFIX}")
        try:
            with filelock.FileLock(directory / LOCK_FILE, timeout=0):
                directory.rename(removed)  # at once, so that nobody finds a part of a collection
        except filelock.Timeout:
            raise BusyError(f"{cached.source or directory} is being indexed; wait for that to end") from None
        shutil.rmtree(removed)


def bytes_below(directory: Path) -> int:
    """Size of all files below a directory; those that go away meanwhile do not count."""
    return sum(_sizes(directory))


def _sizes(directory: Path) -> Iterator[int]:
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                yield path.stat().st_size


def _described(cache: Path) -> CachedFolder:
    try:
        with open_collection(cache) as collection:
            passages = collection.counts()["passages"]
    except OpendprError:
        passages = None
    note = cache / SOURCE_FILE
    used = (note if note.exists() else cache).stat().st_mtime
    last_use = datetime.fromtimestamp(used, UTC).isoformat(timespec="seconds")
    return CachedFolder(cache, _source(cache), passages, bytes_below(cache), last_use)


def _source(cache: Path) -> str | None:
    """The folder or file that was noted beside a cached collection; None without a note that can be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((cache / SOURCE_FILE).read_text(encoding="utf-8"))["source"])
    return None
