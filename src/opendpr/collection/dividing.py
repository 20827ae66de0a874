"""Copying the rows of a collection into the members of a set, as they are: numbers, checksums and all.

A member notes in its settings up to which document it has what belongs to it, after that is stored; so an interrupted
copy goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from opendpr.collection.collection import QUERY_ROWS, Collection
from opendpr.collection.database import DATABASE, create_database
from opendpr.collection.judgements import count_questions
from opendpr.collection.set_manifest import member_of
from opendpr.collection.writer import Writer
from opendpr.errors import StateError
from opendpr.wording import counted

COPIED_KEY = "copied_document"
"""Key in the settings of the last document that was looked at; it goes once the member is whole."""
COPIED_DOCUMENTS = 500
"""Documents copied between two notes."""
_OPTIONAL_TABLES = ("passage_titles", "files", "unread_files")
_BY_DOCUMENT = {"files": "id", "passage_titles": "number"}

Row = tuple[Any, ...]


def refuse_judged(source: Collection) -> None:
    """Raises StateError if a collection has judgements, which a set does not take."""
    if count := count_questions(source):
        name = source.directory
        raise StateError(
            f"{name} has {counted(count, 'judged question')}, and a set of collections has no place for them; write "
            f"them to a file with 'opendpr questions {name} --export FILE', remove them with 'opendpr questions {name} "
            "--remove ID', and divide again"
        )


class Digest(NamedTuple):
    """What collections with the same rows have in common, whatever the order: counts, and sums of checksums."""

    documents: int
    passages: int
    vectors: int
    checksums: int


def begin_member(source: Collection, directory: Path) -> None:
    """Make the database of a member, without documents, if it is not there."""
    if not (directory / DATABASE).exists():
        directory.mkdir(parents=True, exist_ok=True)
        create_database(directory / DATABASE, {"splitter": source.settings["splitter"], COPIED_KEY: "0"})


def copy_documents(source: Writer, members: Sequence[Writer]) -> Iterator[int]:
    """Copy what the members lack; yields the documents looked at so far."""
    copied = [_copied(member) for member in members]
    for member, last in zip(members, copied, strict=True):
        if last == 0:
            _copy_frame(source, member, members)
    last, done = min((place for place in copied if place is not None), default=None), 0
    if last is None:
        return
    while documents := _documents(source, last):
        last, done = documents[-1][0], done + len(documents)
        for place, member in enumerate(members):
            before = copied[place]
            if before is not None and before < last:
                own = [row for row in documents if row[0] > before and member_of(row[1], len(members)) == place]
                for table, rows in _rows_of(source, own).items():
                    _put(member, table, rows)
                _put(member, "settings", [(COPIED_KEY, str(last))])
        yield done
    for member, before in zip(members, copied, strict=True):
        if before is not None:
            member.change("DELETE FROM settings WHERE key = ?", [(COPIED_KEY,)])


def digest(collections: Sequence[Collection]) -> Digest:
    """The digest of the rows of several collections together."""
    documents = passages = vectors = checksums = 0
    for collection in collections:
        last = 0
        while rows := _documents(collection, last):
            last, documents = rows[-1][0], documents + len(rows)
            checksums += sum(int.from_bytes(hashlib.sha256(repr(row).encode()).digest()[:8], "big") for row in rows)
        for table in ("passages", *(f"vectors_{row.encoder}" for row in collection.encoders())):
            count, crcs = collection.select(f"SELECT count(*), coalesce(sum(crc), 0) FROM {table}")[0]
            checksums += crcs
            passages, vectors = passages + count * (table == "passages"), vectors + count * (table != "passages")
    return Digest(documents, passages, vectors, checksums)


def _copied(member: Collection) -> int | None:
    """The last document that a member looked at; None if it is whole."""
    rows = member.select("SELECT value FROM settings WHERE key = ?", (COPIED_KEY,))
    return int(rows[0][0]) if rows else None


def _copy_frame(source: Writer, member: Writer, members: Sequence[Writer]) -> None:
    """Copy all that belongs to no document: encoders, the last number given, files that gave none."""
    encoders = source.select("SELECT encoder, fingerprint, dim, dtype, complete, model, runtime FROM encoders")
    names = [f"vectors_{row[0]}" for row in encoders] + [name for name in _OPTIONAL_TABLES if _has(source, name)]
    here = [name for name in names if not _has(member, name)]
    made = [source.select("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)) for name in here]
    settings = source.select("SELECT key, value FROM settings WHERE key = 'encoder'")
    unread = source.select("SELECT * FROM unread_files") if "unread_files" in names else []
    place = list(members).index(member)
    own = [row for row in unread if member_of(row[1], len(members)) == place]
    _put(member, "settings", [(COPIED_KEY, "0")], tables="; ".join(str(rows[0][0]) for rows in made))
    for table, rows in (("encoders", encoders), ("settings", settings), ("unread_files", own)):
        _put(member, table, rows)
    unless_given = "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'passages')"
    member.change(
        f"INSERT INTO sqlite_sequence(name, seq) SELECT 'passages', ? {unless_given}", [(source.last_number_given(),)]
    )


def _put(member: Writer, table: str, rows: Sequence[Row], *, tables: str = "") -> None:
    """Store whole rows; twice is harmless."""
    if rows:
        marks = ",".join("?" * len(rows[0]))
        member.change(f"INSERT OR REPLACE INTO {table} VALUES({marks})", rows, table=tables)


def _has(collection: Collection, table: str) -> bool:
    return bool(collection.select("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))


def _documents(collection: Collection, last: int) -> list[Row]:
    """The rows of documents after one, pending ones too."""
    columns = "row, id, title, metadata, content_sha256, replaces"
    return collection.select(
        f"SELECT {columns} FROM documents WHERE row > ? ORDER BY row LIMIT {COPIED_DOCUMENTS}", (last,)
    )


def _rows_of(source: Collection, documents: Sequence[Row]) -> dict[str, list[Row]]:
    """All rows that belong to some documents, by table."""
    rows = {"documents": list(documents)}
    rows["passages"] = _selected(source, "passages", "document", [row[0] for row in documents])
    numbers, ids = [row[0] for row in rows["passages"]], [row[1] for row in documents]
    for table in (f"vectors_{row.encoder}" for row in source.encoders()):
        rows[table] = _selected(source, table, "number", numbers)
    for table, column in _BY_DOCUMENT.items():
        if _has(source, table):
            rows[table] = _selected(source, table, column, ids if column == "id" else numbers)
    return rows


def _selected(source: Collection, table: str, column: str, values: Sequence[object]) -> list[Row]:
    rows: list[Row] = []
    for first in range(0, len(values), QUERY_ROWS):
        wanted = values[first : first + QUERY_ROWS]
        rows += source.select(f"SELECT * FROM {table} WHERE {column} IN ({','.join('?' * len(wanted))})", wanted)
    return rows
