"""Rows as they are stored and read.

Those of passages and vectors have a checksum of their own: pages read from a live write-ahead log have none.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import CorruptionError, InputError
from opendpr.text.sections import SECTIONS_KEY, parse_sections
from opendpr.types import Document, Passage

VECTOR_DTYPE = np.dtype("<f2")
COMPARED_IDS = 10_000
"""Ids that one which no document has is compared with."""


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


def other_encoder(row: EncoderRow, directory: Path, fingerprint: str, model: str) -> str:
    """What to say of a model that did not make the vectors of a collection."""
    made_by = f"{row.model} (fingerprint {row.fingerprint[:12]})"
    if row.model == model:
        return (
            f"{directory} was encoded by {made_by}, which is another version now ({fingerprint[:12]}); "
            f"their vectors cannot be compared. Encode it again with 'opendpr encode {directory}'"
        )
    return (
        f"{directory} was encoded by {made_by}, the model given is {model} ({fingerprint[:12]}); "
        "their vectors cannot be compared. Give the first, or change the collection over with "
        f"'opendpr encode {directory} --model {model}'"
    )


@dataclass(frozen=True)
class ListedDocument:
    """One line of `opendpr list`."""

    id: str
    title: str
    passages: int
    characters: int


def passage_crc(number: int, document: int, start: int, text: str) -> int:
    """CRC-32 of everything a passage's row says."""
    return zlib.crc32(f"{number},{document},{start},".encode() + text.encode())


def passage_rows(
    document: int, text: str, spans: Sequence[tuple[int, int]], first_number: int
) -> list[tuple[int, int, int, str, int]]:
    """The rows of the passages of the document in a row, numbered from `first_number` on."""
    rows = []
    for number, (start, end) in enumerate(spans, start=first_number):
        piece = text[start:end]
        rows.append((number, document, start, piece, passage_crc(number, document, start, piece)))
    return rows


def vector_crc(number: int, vector: bytes) -> int:
    """CRC-32 of a vector's row."""
    return zlib.crc32(vector, zlib.crc32(b"%d" % number))


def content_sha256(document: Document) -> bytes:
    """SHA-256 of what makes new passages necessary: title, text and headings, not other metadata."""
    title = document.title.encode()
    digest = hashlib.sha256(f"{len(title)}\n".encode() + title + document.text.encode())
    if headed := parse_sections(document.metadata.get(SECTIONS_KEY)):
        digest.update(json.dumps([section[:3] for section in headed if section.level]).encode())
    return digest.digest()


def check(stored: int, computed: int | None, what: str, remedy: str = "add the documents again") -> None:
    """Refuse a row that is not what was written; `computed` is None if its content is of another type.

    Args:
        remedy: what helps where there is no backup
    """
    if computed is None or stored != computed:
        raise CorruptionError(f"the row of {what} does not match its checksum; restore a backup, or {remedy}")


def to_passage(row: tuple[Any, ...]) -> Passage:
    """A row `(number, document, start, text, crc, id, title)`, checked."""
    number, document, start, text, crc, id, title = row
    computed = passage_crc(number, document, start, text) if isinstance(text, str) else None
    check(crc, computed, f"passage {number}")
    return Passage(number, id, title, text, start)


def to_vectors(rows: list[tuple[int, bytes, int]], dim: int) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Rows `(number, vector, crc)`, each checked -> numbers (n,), vectors (n, d)."""
    try:
        whole = all([crc == vector_crc(number, vector) for number, vector, crc in rows])  # half the time of one by one
    except TypeError:  # one is no blob
        whole = False
    for number, vector, crc in () if whole else rows:
        computed = vector_crc(number, vector) if isinstance(vector, bytes) else None
        check(crc, computed, f"the vector of passage {number}")
    numbers = np.array([row[0] for row in rows], dtype=np.int64)
    vectors = np.frombuffer(b"".join(row[1] for row in rows), dtype=VECTOR_DTYPE).reshape(len(rows), dim)
    return numbers, vectors


def unknown_document(id: str, ids: Sequence[str]) -> InputError:
    """The error of an id that no document has: an id like it, or where to see all.

    Args:
        ids: of documents that there are, all or many
    """
    whole, mark, place = id.rpartition("#")
    if mark and whole in ids:
        return InputError(f"there is no document {id!r}; {place!r} is a place in {whole!r}, leave it out")
    near = get_close_matches(id, ids, 1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"there is no document {id!r}; {guess}'opendpr list' names those that there are")
