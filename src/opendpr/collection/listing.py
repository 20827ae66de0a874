"""Documents as a list to look through: found by words of their ids and titles, by a filter, in pages."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from operator import attrgetter
from pathlib import PurePosixPath
from typing import NamedTuple

from opendpr.collection.collection import Collection
from opendpr.collection.members import of_each
from opendpr.collection.parts import joined
from opendpr.collection.rows import ListedDocument
from opendpr.collection.where import SqliteCondition, compile_where

SAMPLED_DOCUMENTS = 20_000
"""Documents whose metadata are read for the values that they share."""
VALUE_CHARACTERS = 60
"""Longer values are sentences, not labels."""
_SUFFIX_CHARACTERS = 8
_CHARACTERS_OF_PASSAGE = "length(replace(p.text, char(0), ' '))"
"""SQLite's own length ends at a NUL."""


class Listing(NamedTuple):
    """Which documents to list."""

    words: str = ""
    """Each of them is in the id or the title; capitals do not matter."""
    where: str = ""
    """A filter that the documents meet."""


class SharedValue(NamedTuple):
    """A value of the metadata that several documents have, or a kind of file: `key` is then empty."""

    key: str
    value: str | int | float | bool
    documents: int
    """How many of the sampled documents have it."""


def list_documents(
    collection: Collection, listing: Listing, *, limit: int, after: str = "", skip: int = 0
) -> list[ListedDocument]:
    """At most `limit` documents in order of id.

    Args:
        after: begin after this id
        skip: leave out this many before the first

    Raises:
        UsageError: the filter cannot be understood.
    """
    if collection.parts[0] is not collection:
        lists = of_each(collection.parts, list_documents, listing, limit=limit + skip, after=after)
        return sorted(chain.from_iterable(lists), key=attrgetter("id"))[skip : skip + limit]
    condition = _condition(listing)
    query = (
        f"SELECT d.id, d.title, count(*), max(p.start + {_CHARACTERS_OF_PASSAGE}) FROM (SELECT row, id, title "
        f"FROM documents d WHERE d.replaces IS NULL AND d.id > ? AND {condition.sql} ORDER BY d.id LIMIT ? OFFSET ?) d "
        "JOIN passages p ON p.document = d.row GROUP BY d.id ORDER BY d.id"
    )
    return [ListedDocument(*row) for row in collection.select(query, (after, *condition.values, limit, skip))]


@joined(sum)
def count_documents(collection: Collection, listing: Listing) -> int:
    """How many documents there are in the list; raises as `list_documents`."""
    condition = _condition(listing)
    query = f"SELECT count(*) FROM documents d WHERE d.replaces IS NULL AND {condition.sql}"
    return int(collection.select(query, condition.values)[0][0])


def shared_values(collection: Collection) -> list[SharedValue]:
    """Values of the metadata and kinds of files, the most common first, with how many documents have each."""
    counts: Counter[tuple[str, str, str | int | float]] = Counter()
    for sampled in of_each(collection.parts, _sampled_values):
        counts.update(sampled)
    values = [
        SharedValue(key, bool(value) if kind in ("true", "false") else value, documents)
        for (key, kind, value), documents in counts.items()
    ]
    return sorted(values, key=lambda shared: (-shared.documents, shared.key, str(shared.value)))


def _sampled_values(collection: Collection) -> Counter[tuple[str, str, str | int | float]]:
    """How many of the sampled documents have a value, by key, type and value; suffixes of files have an empty key."""
    query = (
        "SELECT j.key, j.type, j.value, count(*) FROM (SELECT metadata FROM documents WHERE replaces IS NULL LIMIT ?) "
        "AS sampled, json_each(sampled.metadata) AS j WHERE j.type IN ('text', 'integer', 'real', 'true', 'false') "
        "AND length(j.value) BETWEEN 1 AND ? GROUP BY j.key, j.type, j.value"
    )
    rows = collection.select(query, (SAMPLED_DOCUMENTS, VALUE_CHARACTERS))
    counts = Counter({(key, kind, value): documents for key, kind, value, documents in rows})
    ids = collection.select("SELECT id FROM documents WHERE replaces IS NULL LIMIT ?", (SAMPLED_DOCUMENTS,))
    counts.update(("", "text", suffix) for (id,) in ids if (suffix := _suffix(id)))
    return counts


def _suffix(id: str) -> str:
    suffix = PurePosixPath(id).suffix.lower()
    return suffix if suffix[1:].isalnum() and len(suffix) <= _SUFFIX_CHARACTERS else ""


def _condition(listing: Listing) -> SqliteCondition:
    """What a document must meet, in SQL."""
    parts = [_with_word(word) for word in listing.words.split()]
    if listing.where:
        parts.append(compile_where(listing.where))
    sql = " AND ".join(part.sql for part in parts) or "1"
    return SqliteCondition(sql, tuple(value for part in parts for value in part.values))


def _with_word(word: str) -> SqliteCondition:
    """SQLite's LIKE ignores capitals of ASCII alone, so other words are looked for in their usual forms."""
    forms = [word] if word.isascii() else sorted({word, word.lower(), word.upper(), word.capitalize()})
    patterns = ["%{}%".format(form.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")) for form in forms]
    tests = [f"{column} LIKE ? ESCAPE '\\'" for column in ("d.id", "d.title") for _ in patterns]
    return SqliteCondition(f"({' OR '.join(tests)})", (*patterns, *patterns))
