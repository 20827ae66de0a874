"""Passages by what the world outside the store knows: ids of documents, and offsets in their texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from opendpr.collection.collection import Collection
from opendpr.types import Passage


class Piece(NamedTuple):
    """The text of a passage, with what its document says of pages."""

    document_id: str
    page_starts: str | int | float | None
    """The value of that name in the document's metadata, an array or an object as JSON."""
    start: int
    text: str


def passage_at(collection: Collection, document_id: str, start: int) -> Passage | None:
    """The passage of a document that begins at an offset of its text; None if there is none."""
    query = (
        "SELECT p.number FROM documents d JOIN passages p ON p.document = d.row "
        "WHERE d.replaces IS NULL AND d.id = ? AND p.start = ?"
    )
    numbers = [number for (number,) in collection._select(query, (document_id, start))]
    return next(iter(collection.passages(numbers).values()), None)


def passage_numbers(collection: Collection, ids: Sequence[str]) -> dict[str, int]:
    """The passage of each document of one passage, by id; of a document that is being replaced, the new one's."""
    numbers: dict[str, int] = {}
    for state in ("NULL", "NOT NULL"):  # each has an index of its own
        query = (
            "SELECT d.id, p.number FROM documents d JOIN passages p ON p.document = d.row "
            f"WHERE d.replaces IS {state} AND d.id IN ({','.join('?' * len(ids))})"
        )
        numbers.update(collection._select(query, ids))
    return numbers


def pieces(collection: Collection, ids: Sequence[str]) -> Iterator[Piece]:
    """The texts of all passages of those documents that exist."""
    query = (
        "SELECT d.id, json_extract(d.metadata, '$.page_starts'), p.start, p.text FROM documents d "
        f"JOIN passages p ON p.document = d.row WHERE d.replaces IS NULL AND d.id IN ({','.join('?' * len(ids))})"
    )
    return map(Piece._make, collection._select(query, ids))
