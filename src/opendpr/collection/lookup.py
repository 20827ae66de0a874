"""Passages by what the outside world knows: ids of documents, and offsets in their texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from opendpr.collection.collection import QUERY_ROWS, Collection
from opendpr.collection.members import of_each
from opendpr.collection.parts import joined, union
from opendpr.text.places import Outline, page_starts
from opendpr.text.sections import parse_sections
from opendpr.types import Passage

_ARRAY = "CASE json_type(metadata, '$.{0}') WHEN 'array' THEN json_extract(metadata, '$.{0}') ELSE '[]' END"
"""An array of the metadata as JSON; a record's own value of that name may be anything."""


_DOCUMENT_FORMS = " UNION ALL ".join(
    f"SELECT row, content_sha256, metadata, replaces FROM documents WHERE id = ?1 AND replaces IS {state}"
    for state in ("NULL", "NOT NULL")  # each has its index; without a condition SQLite would read every document
)


class Neighbourhood(NamedTuple):
    """The text of a document right before and right after a passage, as far as the passages beside it reach."""

    before: str = ""
    after: str = ""


class Piece(NamedTuple):
    """The text of a passage, and where in which document it begins."""

    document_id: str
    start: int
    text: str


def served_passages(collection: Collection) -> Iterator[Passage]:
    """All passages in order, without those of documents that are not served yet."""
    hidden = set(collection.hidden().tolist())
    return (passage for passage in collection.passages_after(0) if passage.number not in hidden)


def existing_ids(collection: Collection, ids: Sequence[str]) -> set[str]:
    """Those of the ids that documents have, or have been given by a document that is to replace another."""
    there: set[str] = set()
    for first in range(0, len(ids), QUERY_ROWS):
        wanted = ids[first : first + QUERY_ROWS]
        for state in ("NULL", "NOT NULL"):  # each has an index of its own
            marks = ",".join("?" * len(wanted))
            query = f"SELECT id FROM documents WHERE replaces IS {state} AND id IN ({marks})"
            there.update(id for (id,) in collection.select(query, wanted))
    return there


def document_forms(collection: Collection, id: str) -> list[tuple[Any, ...]]:
    """Row, `content_sha256`, metadata and `replaces` of the document of an id, and of the one that is to replace it."""
    return collection.select(_DOCUMENT_FORMS, (id,))


def is_cut_as_now(collection: Collection, document: int, text: str) -> bool:
    """Whether the document in a row is cut as it would be now; False for one from before the last `resplit`."""
    stored = collection.select("SELECT start, text FROM passages WHERE document = ? ORDER BY start", (document,))
    return stored == [(start, text[start:end]) for start, end in collection.splitter.split(text)]


def last_given_number(collection: Collection) -> int:
    """The largest number that a passage has had."""
    query = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'passages'"
    return int(collection.select(query)[0][0])


def passage_at(collection: Collection, document_id: str, start: int) -> Passage | None:
    """The passage of a document that begins at an offset of its text; None if there is none."""
    query = (
        "SELECT p.number FROM documents d JOIN passages p ON p.document = d.row "
        "WHERE d.replaces IS NULL AND d.id = ? AND p.start = ?"
    )
    part = collection.part_of(document_id)
    numbers = [number for (number,) in part.select(query, (document_id, start))]
    return next(iter(part.passages(numbers).values()), None)


def neighbourhoods(collection: Collection, passages: Sequence[Passage]) -> dict[int, Neighbourhood]:
    """What lies beside each of the passages in its document, by number, in one look-up for all.

    The passages of a document are stored together, so those beside number n are n - 1 and n + 1.
    """
    by_number = {passage.number: passage for passage in passages}
    beside = {number + step for number in by_number for step in (-1, 1)} - by_number.keys()
    by_number |= collection.passages(sorted(beside))
    return {
        passage.number: Neighbourhood(
            _before(passage, by_number.get(passage.number - 1)), _after(passage, by_number.get(passage.number + 1))
        )
        for passage in passages
    }


def _before(passage: Passage, other: Passage | None) -> str:
    """The part of another passage that lies right before this one; passages may overlap."""
    if other is None or other.document_id != passage.document_id or other.start >= passage.start:
        return ""
    text = other.text[: passage.start - other.start]
    return text if other.start + len(text) == passage.start else ""


def _after(passage: Passage, other: Passage | None) -> str:
    """The part of another passage that lies right after this one."""
    end = passage.start + len(passage.text)
    if other is None or other.document_id != passage.document_id or not passage.start < other.start <= end:
        return ""
    return other.text[end - other.start :]


@joined(union)
def passage_numbers(collection: Collection, ids: Sequence[str]) -> dict[str, int]:
    """The passage of each document of one passage, by id; of a document that is being replaced, the new one's."""
    numbers: dict[str, int] = {}
    for state in ("NULL", "NOT NULL"):  # each has an index of its own
        query = (
            "SELECT d.id, p.number FROM documents d JOIN passages p ON p.document = d.row "
            f"WHERE d.replaces IS {state} AND d.id IN ({','.join('?' * len(ids))})"
        )
        numbers.update(collection.select(query, ids))
    return numbers


@joined(union)
def outlines(collection: Collection, ids: Sequence[str]) -> dict[str, Outline]:
    """Titles, pages and sections of those documents that exist."""
    query = (
        f"SELECT id, title, {_ARRAY.format('page_starts')}, {_ARRAY.format('sections')} "
        f"FROM documents WHERE replaces IS NULL AND id IN ({','.join('?' * len(ids))})"
    )
    return {
        id: Outline(title, page_starts(json.loads(pages)), parse_sections(json.loads(sections)))
        for id, title, pages, sections in collection.select(query, ids)
    }


def sample_outlines(collection: Collection, documents: int) -> list[Outline]:
    """The outlines of at most this many documents, spread evenly over the collection; always the same ones."""
    wanted = -(-documents // len(collection.parts))
    return list(chain.from_iterable(of_each(collection.parts, _sample, wanted)))[:documents]


def _sample(collection: Collection, documents: int) -> list[Outline]:
    first, last = collection.select("SELECT coalesce(min(row), 0), coalesce(max(row), 0) FROM documents")[0]
    query = "SELECT id FROM documents WHERE row >= ? AND replaces IS NULL ORDER BY row LIMIT 1"
    steps = (first + step * (last - first) // documents for step in range(documents))
    ids = dict.fromkeys(id for start in steps for (id,) in collection.select(query, (start,)))
    return list(outlines(collection, list(ids)).values())


@joined(chain.from_iterable)
def pieces(collection: Collection, ids: Sequence[str]) -> Iterator[Piece]:
    """The texts of all passages of those documents that exist."""
    query = (
        "SELECT d.id, p.start, p.text FROM documents d "
        f"JOIN passages p ON p.document = d.row WHERE d.replaces IS NULL AND d.id IN ({','.join('?' * len(ids))})"
    )
    return map(Piece._make, collection.select(query, ids))


@joined(max)
def last_number(collection: Collection) -> int:
    """The largest number of a passage; 0 if there is none."""
    return int(collection.select("SELECT coalesce(max(number), 0) FROM passages")[0][0])


@joined(sum)
def count_passages_after(collection: Collection, number: int) -> int:
    """How many passages have a larger number."""
    return int(collection.select("SELECT count(*) FROM passages WHERE number > ?", (number,))[0][0])


def count_without_vector(collection: Collection, encoder: int) -> int:
    """How many passages still have no vector of an encoder."""
    count = 0
    for part, own in collection.parts_encoded(encoder):
        join = f"LEFT JOIN vectors_{own} v ON v.number = p.number"
        count += part.select(f"SELECT count(*) FROM passages p {join} WHERE v.number IS NULL")[0][0]
    return count
