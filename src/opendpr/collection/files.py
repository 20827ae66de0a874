"""The files that documents came from, and those that gave none, as they were then: optional tables of a collection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from itertools import chain
from typing import NamedTuple

from opendpr.collection.collection import Collection
from opendpr.collection.judgements import rename_judged
from opendpr.collection.parts import by_part, in_order, joined
from opendpr.collection.writer import Writer
from opendpr.corpus.known import KnownFile

_FILES_TABLE = (
    "CREATE TABLE IF NOT EXISTS files(path TEXT NOT NULL, id TEXT NOT NULL, size_bytes INTEGER NOT NULL, "
    "modified_ns INTEGER NOT NULL, sha256 TEXT NOT NULL, how TEXT NOT NULL, PRIMARY KEY(path, id)) WITHOUT ROWID"
)
_UNREAD_TABLE = (
    "CREATE TABLE IF NOT EXISTS unread_files(path TEXT PRIMARY KEY, id TEXT NOT NULL, size_bytes INTEGER NOT NULL, "
    "modified_ns INTEGER NOT NULL, sha256 TEXT NOT NULL, how TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID"
)
_UNREAD = (
    "SELECT path, id, size_bytes, modified_ns, sha256, how, reason FROM unread_files "
    "WHERE ? IS NULL OR path = ? ORDER BY path"
)
_KNOWN = (
    "SELECT f.path, f.id, f.size_bytes, f.modified_ns, f.sha256, f.how FROM files f JOIN documents d "
    "ON d.id = f.id AND d.replaces IS NULL AND json_extract(d.metadata, '$.path') = f.path WHERE f.path = ?"
)


class UnreadFile(NamedTuple):
    """A file that did not become a document."""

    file: KnownFile
    reason: str


@joined(any)
def has_files(collection: Collection, table: str = "files") -> bool:
    """Whether the collection remembers files; those made by earlier versions do not."""
    return bool(collection.select("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))


@joined(lambda lists: sorted(chain.from_iterable(lists), key=lambda entry: entry.file.path))
def unread_files(collection: Collection, path: str | None = None) -> list[UnreadFile]:
    """What is remembered of files that did not become documents; of one file, if a path is given."""
    if not has_files(collection, "unread_files"):
        return []
    rows = collection.select(_UNREAD, (path, path))
    return [UnreadFile(KnownFile(*row[:-1]), row[-1]) for row in rows]


def note_unread(writer: Writer, files: Sequence[UnreadFile]) -> None:
    """Remember files that did not become documents."""
    for part, entries in by_part(writer, files, lambda entry: entry.file.id):
        rows = [(*astuple(entry.file), entry.reason) for entry in entries]
        part.change("INSERT OR REPLACE INTO unread_files VALUES(?, ?, ?, ?, ?, ?, ?)", rows, table=_UNREAD_TABLE)


def forget_unread(writer: Writer, paths: Sequence[str]) -> None:
    """Forget files that became documents now."""
    for part in writer.parts:
        if paths and has_files(part, "unread_files"):
            part.change("DELETE FROM unread_files WHERE path = ?", [(path,) for path in paths])


def known_files(writer: Writer, path: str) -> list[KnownFile]:
    """What is remembered of a file, for each document that came from it and is still there."""
    parts = [part for part in writer.parts if has_files(part)]
    return [KnownFile(*row) for part in parts for row in part.select(_KNOWN, (path,))]


def metadata_beside(writer: Writer, folder: str, limit: int) -> list[dict[str, object]]:
    """The metadata of the first documents whose files lie in a folder, or below it."""
    beside = (
        "SELECT f.path, d.metadata FROM files f JOIN documents d ON d.id = f.id AND d.replaces IS NULL "
        "WHERE f.path > ? || '/' AND f.path < ? || '0' ORDER BY f.path LIMIT ?"  # "0" follows "/"
    )
    parts = [part for part in writer.parts if has_files(part)]
    rows = in_order(part.select(beside, (folder, folder, limit)) for part in parts)
    return [json.loads(value) for _, value in rows[:limit]]


def note_files(writer: Writer, files: Sequence[KnownFile]) -> None:
    """Remember files that were read."""
    for part, own in by_part(writer, files, lambda file: file.id):
        rows = [(file.path, file.id, file.size_bytes, file.modified_ns, file.sha256, file.how) for file in own]
        part.change("INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?, ?)", rows, table=_FILES_TABLE)


def rename_document(writer: Writer, before: str, now: str) -> None:
    """Give a document another id, which no other one has, with its passages, vectors and judgements.

    Where that moves it to another member of a set, its passages are cut anew and wait for vectors; there are no
    judgements then, which a set does not take.
    """
    part, target = writer.part_of(before), writer.part_of(now)
    if part is target:
        rename_judged(part, before, now)  # first: after a kill the document is renamed again, which finds them done
        part.change("UPDATE documents SET id = ? WHERE id = ?", [(now, before)])
        part.change("UPDATE OR REPLACE files SET id = ? WHERE id = ?", [(now, before)])
        return
    columns = "path, size_bytes, modified_ns, sha256, how"
    rows = part.select(f"SELECT {columns} FROM files WHERE id = ?", (before,)) if has_files(part) else []
    target.put_documents([replace(part.document(before), id=now)])
    note_files(target, [KnownFile(path, now, *rest) for path, *rest in rows])
    part.remove_documents([before])


def set_modified(writer: Writer, times: Mapping[str, str]) -> None:
    """Note when the files of documents were changed, by id; their content is what it was."""
    for part, ids in by_part(writer, times, str):
        rows = []
        for id in ids:
            for row, stored in part.select("SELECT row, metadata FROM documents WHERE id = ?", (id,)):
                metadata = json.loads(stored)
                if metadata.get("modified") != times[id]:
                    metadata["modified"] = times[id]
                    rows.append((json.dumps(metadata, ensure_ascii=False, sort_keys=True), row))
        if rows:
            part.change("UPDATE documents SET metadata = ? WHERE row = ?", rows)
