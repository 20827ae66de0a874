"""The cache of vectors beside a large collection: an approximate index that may be deleted at any time.

    dense/seen.json              which state of the collection it has seen, which build is used, its recall
    dense/build-N/index.faiss    codes in inverted lists
    dense/build-N/vectors.f16    (n, d) in the order of the codes, mapped to memory
    dense/build-N/numbers.i64    (n,) the passages' numbers, rising

A build comes into use by the rename of `seen.json` alone. A process that has mapped the files of an older build goes on
with them.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendpr.collection import Collection, Writer
from opendpr.collection.rows import VECTOR_DTYPE, Version
from opendpr.errors import CorruptionError
from opendpr.search.ivf import Effort, IvfIndex
from opendpr.search.seen import SEEN, read_seen, seen_of, version_of
from opendpr.search.settings import IvfSettings
from opendpr.storage.digests import file_sha256

logger = logging.getLogger(__name__)

DIRECTORY = "dense"
CODES, VECTORS, NUMBERS = "index.faiss", "vectors.f16", "numbers.i64"
FORMAT = 1
"""Version of the files' format; a build of another one is not used."""
NUMBER_DTYPE = np.dtype("<i8")
OPEN_ATTEMPTS = 5
"""How often a build is opened that another one replaces meanwhile."""


@dataclass(frozen=True)
class Cache:
    """An opened cache."""

    index: IvfIndex
    record: dict[str, Any]
    """The content of `seen.json`."""

    @property
    def version(self) -> Version:
        """The state of the collection that it knows."""
        return version_of(self.record)

    @property
    def last_number(self) -> int:
        """The cache holds every vector up to this number."""
        return int(self.record["last_number"])


def open_dense(
    collection: Collection, opened: Cache | None = None, settings: IvfSettings = IvfSettings()
) -> Cache | None:
    """The cache, if there is one that belongs to this collection and its encoder.

    Its codes and numbers are compared with their checksums. The vectors are not: they only rank candidates.

    Args:
        opened: what an earlier call returned; it is returned again if nothing changed.
    """
    directory = collection.directory / DIRECTORY
    for _ in range(OPEN_ATTEMPTS):
        record = dense_record(collection)
        if record is None:
            if reason := unused_dense(collection):
                logger.warning("%s", reason)
            return None
        if opened is not None and opened.record == record:
            return opened
        try:
            return Cache(_load(directory, record, settings), record)
        except (OSError, CorruptionError) as error:
            if dense_record(collection) != record:
                continue  # it was replaced meanwhile
            logger.warning(
                "%s: every vector is scanned; delete %s, 'opendpr optimize %s' rebuilds it",
                error,
                directory,
                collection.directory,
            )
            return None
    return None


def dense_record(collection: Collection) -> dict[str, Any] | None:
    """The content of `seen.json`, if the cache fits the collection and its encoder; else None."""
    record, row = seen_of(collection, collection.directory / DIRECTORY), collection.encoder()
    if record is None or row is None or record.get("format") != FORMAT or record.get("fingerprint") != row.fingerprint:
        return None
    return record


def unused_dense(collection: Collection) -> str | None:
    """Why the cache beside the collection is not used; None if it is, or there is none."""
    directory = collection.directory / DIRECTORY
    if not (directory / SEEN).exists() or dense_record(collection):
        return None
    return (
        f"{directory} does not belong to the vectors in use, or is damaged: every vector is scanned; "
        f"'opendpr optimize {collection.directory}' rebuilds it"
    )


def dense_stamp(collection: Collection) -> object:
    """A value that changes when another build comes into use."""
    try:
        status = os.stat(collection.directory / DIRECTORY / SEEN)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def remove_dense(writer: Writer) -> None:
    """Remove the cache, so that every vector is scanned."""
    directory = writer.directory / DIRECTORY
    (directory / SEEN).unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def verify_dense(collection: Collection) -> list[str]:
    """What is wrong with the cache: its files are compared with the checksums noted when they were written.

    A missing cache is no damage, nor is a cache of another encoder.
    """
    directory = collection.directory / DIRECTORY
    path = directory / SEEN
    if not path.exists():
        return []
    what_to_do = f"delete {directory}, 'opendpr optimize {collection.directory}' rebuilds it"
    try:
        record = read_seen(directory)
        files = {directory / record["build"] / name: stored for name, stored in record["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"{path} is damaged ({error!r}); {what_to_do}"]
    problems = []
    for file, stored in files.items():
        try:
            if file_sha256(file) != stored:
                problems.append(f"{file} does not match its checksum; {what_to_do}")
        except OSError as error:
            problems.append(f"{file} cannot be read ({error.strerror}); {what_to_do}")
    if problems and (not path.exists() or read_seen(directory) != record):  # another build took its place meanwhile
        return verify_dense(collection)
    return problems


def dense_summary(collection: Collection) -> dict[str, Any] | None:
    """How the approximate index searches, its recall, and how many vectors are newer; None if none is used."""
    record = dense_record(collection)
    if record is None:
        return None
    shown = ("factory", "rows", "lists", "factor", "recall", "target", "questions", "seconds")
    return {
        **{name: record[name] for name in shown},
        "asked": record.get("asked", "vectors"),
        "newer": collection.count_vectors_after(int(record["last_number"])),
        "bytes": sum(_size(collection.directory / DIRECTORY / record["build"] / name) for name in record["files"]),
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # another build took its place
        return 0


def _load(directory: Path, record: dict[str, Any], settings: IvfSettings) -> IvfIndex:
    """The index in memory, its vectors mapped.

    Raises:
        CorruptionError: a file is not what was written.
        OSError: a file cannot be read.
    """
    from opendpr.search.faiss import Codes  # slow to import, and small collections do without

    build, rows, dim = directory / record["build"], int(record["rows"]), int(record["dim"])
    for name in (CODES, NUMBERS):
        if file_sha256(build / name) != record["files"][name]:
            raise CorruptionError(f"{build / name} does not match its checksum")
    codes = Codes.load(build / CODES)
    expected = rows * dim * VECTOR_DTYPE.itemsize
    if (size := (build / VECTORS).stat().st_size) != expected or (len(codes), codes.dim) != (rows, dim):
        raise CorruptionError(
            f"{build / VECTORS} has {size} bytes, {expected} belong to {rows} vectors of {dim} numbers"
        )
    numbers = np.fromfile(build / NUMBERS, dtype=NUMBER_DTYPE)
    effort = Effort(int(record["lists"]), int(record["factor"]))
    return IvfIndex(codes, numbers, map_vectors(build, rows, dim), effort, settings=settings)


def map_vectors(build: Path, rows: int, dim: int) -> NDArray[np.float16]:
    """The vectors (n, d) of a build, read by the kernel as they are used."""
    vectors = np.memmap(build / VECTORS, dtype=VECTOR_DTYPE, mode="r", shape=(rows, dim))
    return vectors.view(np.ndarray)
