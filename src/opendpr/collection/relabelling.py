"""Which documents were given other metadata, or another id, without new passages: an optional table of a collection.

Filters of another store depend on it. A trigger keeps it, so that every way of changing a document does.
"""

from __future__ import annotations

import numpy as np

from opendpr.collection.collection import Collection
from opendpr.collection.writer import Writer
from opendpr.types import Numbers

_RELABELLED_TABLE = "CREATE TABLE IF NOT EXISTS relabelled(document INTEGER PRIMARY KEY, version INTEGER NOT NULL)"
_TRIGGER = (
    "CREATE TRIGGER IF NOT EXISTS note_relabelled AFTER UPDATE OF id, title, metadata ON documents BEGIN "
    "INSERT OR REPLACE INTO relabelled VALUES(NEW.row, (SELECT max(version) + 1 FROM commits)); END"
)


def notes_relabelling(collection: Collection) -> bool:
    """Whether it is noted which documents are relabelled; it is from the first push on."""
    return bool(collection.select("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'note_relabelled'"))


def note_relabelling(writer: Writer) -> None:
    """Note from now on which documents are relabelled."""
    no_document = (0, 0)  # a transaction that changes no row is rolled back
    writer.change(
        "INSERT OR REPLACE INTO relabelled VALUES(?, ?)", [no_document], table=f"{_RELABELLED_TABLE}; {_TRIGGER}"
    )


def relabelled_since(collection: Collection, version: int) -> Numbers:
    """Passages (n,) of the documents that were relabelled after that version, rising."""
    query = (
        "SELECT p.number FROM relabelled r JOIN passages p ON p.document = r.document "
        "WHERE r.version > ? ORDER BY p.number"
    )
    return np.array([number for (number,) in collection.select(query, (version,))], dtype=np.int64)
