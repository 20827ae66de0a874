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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendpr.collection import Collection, Writer
from opendpr.collection.rows import VECTOR_DTYPE, Version
from opendpr.errors import CorruptionError
from opendpr.search.built import DENSE_FORMAT, BuiltIndex
from opendpr.search.cache import attempts, check_cache
from opendpr.search.ivf import IvfIndex
from opendpr.search.seen import SEEN_FILE, seen_of
from opendpr.search.settings import IvfSettings
from opendpr.storage.digests import file_sha256

logger = logging.getLogger(__name__)

DENSE_DIRECTORY = "dense"
CODES_FILE, VECTORS_FILE, NUMBERS_FILE = "index.faiss", "vectors.f16", "numbers.i64"
NUMBER_DTYPE = np.dtype("<i8")


@dataclass(frozen=True)
class Cache:
    """An opened cache."""

    index: IvfIndex
    built: BuiltIndex

    @property
    def version(self) -> Version:
        """The state of the collection that it knows."""
        return self.built.version

    @property
    def last_number(self) -> int:
        """The cache holds every vector up to this number."""
        return self.built.last_number


def open_dense(
    collection: Collection, opened: Cache | None = None, settings: IvfSettings = IvfSettings()
) -> Cache | None:
    """The cache, if there is one that belongs to this collection and its encoder.

    Its codes and numbers are compared with their checksums. The vectors are not: they only rank candidates.

    Args:
        opened: what an earlier call returned; it is returned again if nothing changed.
    """
    directory = collection.directory / DENSE_DIRECTORY
    trouble: Exception | None = None
    for _ in attempts(lambda: built_index(collection)):
        built = built_index(collection)
        if built is None:
            if reason := unused_dense(collection):
                logger.warning("%s", reason)
            return None
        if opened is not None and opened.built == built:
            return opened
        try:
            return Cache(_load(directory, built, settings), built)
        except (OSError, CorruptionError) as error:
            trouble = error
    logger.warning(
        "%s: every vector is scanned; delete %s, 'opendpr optimize %s' rebuilds it",
        trouble,
        directory,
        collection.directory,
    )
    return None


def built_index(collection: Collection) -> BuiltIndex | None:
    """What is known of the index in use, if the cache fits the collection and its encoder; else None."""
    record, row = seen_of(collection, collection.directory / DENSE_DIRECTORY), collection.encoder()
    if (
        record is None
        or row is None
        or record.get("format") != DENSE_FORMAT
        or record.get("fingerprint") != row.fingerprint
    ):
        return None
    return BuiltIndex.from_json(record)


def unused_dense(collection: Collection) -> str | None:
    """Why the cache beside the collection is not used; None if it is, or there is none."""
    directory = collection.directory / DENSE_DIRECTORY
    if not (directory / SEEN_FILE).exists() or built_index(collection):
        return None
    return (
        f"{directory} does not belong to the vectors in use, or is damaged: every vector is scanned; "
        f"'opendpr optimize {collection.directory}' rebuilds it"
    )


def dense_stamp(collection: Collection) -> object:
    """A value that changes when another build comes into use."""
    try:
        status = os.stat(collection.directory / DENSE_DIRECTORY / SEEN_FILE)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def remove_dense(writer: Writer) -> None:
    """Remove the cache, so that every vector is scanned."""
    directory = writer.directory / DENSE_DIRECTORY
    (directory / SEEN_FILE).unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def verify_dense(collection: Collection) -> list[str]:
    """What is wrong with the cache: its files are compared with the checksums noted when they were written.

    A missing cache is no damage, nor is a cache of another encoder.
    """
    directory = collection.directory / DENSE_DIRECTORY
    remedy = f"delete {directory}, 'opendpr optimize {collection.directory}' rebuilds it"
    return check_cache(directory, lambda record: _checked_files(directory, record), remedy)[1]


def _checked_files(directory: Path, record: Mapping[str, Any]) -> dict[Path, str]:
    """The files of the build in use with their SHA-256."""
    return {directory / record["build"] / name: stored for name, stored in record["files"].items()}


def dense_summary(collection: Collection) -> dict[str, Any] | None:
    """How the approximate index searches, its recall, and how many vectors are newer; None if none is used."""
    built = built_index(collection)
    if built is None:
        return None
    record, directory = built.as_json(), collection.directory / DENSE_DIRECTORY / built.build
    shown = ("factory", "rows", "lists", "factor", "recall", "target", "questions", "seconds", "asked")
    return {
        **{name: record[name] for name in shown},
        "newer": collection.count_vectors_after(built.last_number),
        "bytes": sum(_size(directory / name) for name in built.files),
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # another build took its place
        return 0


def _load(directory: Path, built: BuiltIndex, settings: IvfSettings) -> IvfIndex:
    """The index in memory, its vectors mapped.

    Raises:
        CorruptionError: a file is not what was written.
        OSError: a file cannot be read.
    """
    from opendpr.search.faiss import Codes  # slow to import, and small collections do without

    build, rows, dim = directory / built.build, built.rows, built.dim
    for name in (CODES_FILE, NUMBERS_FILE):
        if file_sha256(build / name) != built.files[name]:
            raise CorruptionError(f"{build / name} does not match its checksum")
    codes = Codes.load(build / CODES_FILE)
    expected = rows * dim * VECTOR_DTYPE.itemsize
    if (size := (build / VECTORS_FILE).stat().st_size) != expected or (len(codes), codes.dim) != (rows, dim):
        raise CorruptionError(
            f"{build / VECTORS_FILE} has {size} bytes, {expected} belong to {rows} vectors of {dim} numbers"
        )
    numbers = np.fromfile(build / NUMBERS_FILE, dtype=NUMBER_DTYPE)
    return IvfIndex(codes, numbers, map_vectors(build, rows, dim), built.measured.effort, settings=settings)


def map_vectors(build: Path, rows: int, dim: int) -> NDArray[np.float16]:
    """The vectors (n, d) of a build, read by the kernel as they are used."""
    vectors = np.memmap(build / VECTORS_FILE, dtype=VECTOR_DTYPE, mode="r", shape=(rows, dim))
    return vectors.view(np.ndarray)
