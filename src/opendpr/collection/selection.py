"""Which documents: by the files they came from, by what their metadata say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge

import numpy as np

from opendpr.collection.collection import QUERY_ROWS, Collection
from opendpr.collection.parts import in_order, joined, rising, union
from opendpr.collection.where import SqliteCondition
from opendpr.text.sections import SECTIONS_KEY
from opendpr.types import Numbers

MOST_KEYS = 50
"""Keys of metadata that are listed."""


@joined(lambda parts: merge(*parts))
def paths(collection: Collection) -> Iterator[tuple[str, str]]:
    """Id and path of every document that came from a file, in order of id."""
    last = ""
    query = (
        "SELECT id, json_extract(metadata, '$.path') FROM documents WHERE replaces IS NULL AND id > ? "
        f"AND json_type(metadata, '$.path') = 'text' ORDER BY id LIMIT {QUERY_ROWS}"
    )
    while rows := collection.select(query, (last,)):
        yield from ((id, path) for id, path in rows)
        last = rows[-1][0]


@joined(in_order)
def waiting(collection: Collection) -> list[int]:
    """Passages of documents that replace others once all their passages have vectors."""
    query = "SELECT p.number FROM documents d JOIN passages p ON p.document = d.row WHERE d.replaces IS NOT NULL"
    return [row[0] for row in collection.select(query)]


@joined(union)
def paths_of(collection: Collection, ids: Sequence[str]) -> dict[str, object]:
    """The file that the document served under each id came from, None if from none; without unknown ids."""
    query = (
        "SELECT id, json_extract(metadata, '$.path') FROM documents WHERE replaces IS NULL "
        f"AND id IN ({','.join('?' * len(ids))})"
    )
    return dict(collection.select(query, ids))


@joined(rising)
def matching(collection: Collection, condition: SqliteCondition) -> Numbers:
    """Passages (n,) of the documents that meet a filter, rising."""
    query = (
        "SELECT p.number FROM documents d JOIN passages p ON p.document = d.row "
        f"WHERE d.replaces IS NULL AND {condition.sql} ORDER BY p.number"
    )
    return np.array([row[0] for row in collection.select(query, condition.values)], dtype=np.int64)


@joined(rising)
def matching_of(collection: Collection, condition: SqliteCondition, numbers: Numbers) -> Numbers:
    """Those of some passages (n,) whose documents meet a filter, rising."""
    kept: list[int] = []
    for first in range(0, len(numbers), QUERY_ROWS):
        part = numbers[first : first + QUERY_ROWS].tolist()
        query = (
            "SELECT p.number FROM passages p JOIN documents d ON d.row = p.document "
            f"WHERE p.number IN ({','.join('?' * len(part))}) AND d.replaces IS NULL AND {condition.sql}"
        )
        kept += [row[0] for row in collection.select(query, (*part, *condition.values))]
    return np.array(sorted(kept), dtype=np.int64)


@joined(in_order)
def matching_documents(collection: Collection, condition: SqliteCondition) -> list[str]:
    """Ids of the documents that meet a filter, in order."""
    query = f"SELECT d.id FROM documents d WHERE d.replaces IS NULL AND {condition.sql} ORDER BY d.id"
    return [row[0] for row in collection.select(query, condition.values)]


@joined(lambda lists: sorted(set().union(*lists))[:MOST_KEYS])
def metadata_keys(collection: Collection) -> list[str]:
    """The keys that the metadata of documents have, those that a filter may ask for: `sections` are lists of lists."""
    query = (
        "SELECT DISTINCT key FROM documents, json_each(metadata) "
        f"WHERE replaces IS NULL AND key <> ? ORDER BY key LIMIT {MOST_KEYS}"
    )
    return [str(row[0]) for row in collection.select(query, (SECTIONS_KEY,))]
