"""Rows as they are stored and read.

Those of passages and vectors have a checksum of their own: pages read from a live write-ahead log have none.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import CorruptionError
from opendpr.text.sections import SECTIONS, parse_sections
from opendpr.types import Document

VECTOR_DTYPE = np.dtype("<f2")


class EncoderRow(NamedTuple):
    """One row of the `encoders` table."""

    encoder: int
    fingerprint: str
    dim: int
    model: str
    runtime: str


class Version(NamedTuple):
    """Identifies a state of the collection."""

    version: int
    commit_id: str


@dataclass(frozen=True)
class Summary:
    """One line of `opendpr list`."""

    id: str
    title: str
    passages: int
    characters: int


def passage_crc(number: int, document: int, start: int, text: str) -> int:
    """CRC-32 of everything a passage's row says."""
    return zlib.crc32(f"{number},{document},{start},".encode() + text.encode())


def vector_crc(number: int, vector: bytes) -> int:
    """CRC-32 of a vector's row."""
    return zlib.crc32(vector, zlib.crc32(str(number).encode()))


def content_sha256(document: Document) -> bytes:
    """SHA-256 of what makes new passages necessary: title, text and headings, not other metadata."""
    title = document.title.encode()
    digest = hashlib.sha256(f"{len(title)}\n".encode() + title + document.text.encode())
    if headed := parse_sections(document.metadata.get(SECTIONS)):
        digest.update(json.dumps([section[:3] for section in headed if section.level]).encode())
    return digest.digest()


def check(stored: int, computed: int | None, what: str) -> None:
    """Refuse a row that is not what was written; `computed` is None if its content is of another type."""
    if computed is None or stored != computed:
        raise CorruptionError(
            f"the row of {what} does not match its checksum; restore a backup, or add the documents again"
        )


def to_vectors(rows: list[tuple[int, bytes, int]], dim: int) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Rows `(number, vector, crc)`, each checked -> numbers (n,), vectors (n, d)."""
    for number, vector, crc in rows:
        computed = vector_crc(number, vector) if isinstance(vector, bytes) else None
        check(crc, computed, f"the vector of passage {number}")
    numbers = np.array([row[0] for row in rows], dtype=np.int64)
    vectors = np.frombuffer(b"".join(row[1] for row in rows), dtype=VECTOR_DTYPE).reshape(len(rows), dim)
    return numbers, vectors
