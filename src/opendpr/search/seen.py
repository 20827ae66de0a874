"""`seen.json`: the state of the collection that a cache has seen, and the checksums of the cache's files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from opendpr.collection import Collection
from opendpr.collection.rows import Version
from opendpr.storage.atomic import replacing

SEEN_FILE = "seen.json"
CHECKSUM_KEY = "sha256"
"""Key of the checksum of all other content."""


def read_seen(directory: Path, name: str = SEEN_FILE) -> dict[str, Any]:
    """The content of `seen.json`, or of another file of that form.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not what was written.
    """
    record = json.loads((directory / name).read_text(encoding="utf-8"))
    if not isinstance(record, dict) or record.pop(CHECKSUM_KEY, None) != _checksum(record):
        raise ValueError("it does not match its checksum")
    return record


def seen_of(collection: Collection, directory: Path) -> dict[str, Any] | None:
    """The content of `seen.json`, if it is whole and names a state that this collection was in; else None."""
    try:
        record = read_seen(directory)
        ours = record["collection_id"] == collection.id and collection.has_commit(version_of(record))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if ours else None


def version_of(record: dict[str, Any]) -> Version:
    """The state of the collection that the cache knows."""
    return Version(record["version"], record["commit_id"])


def write_seen(directory: Path, content: dict[str, Any], name: str = SEEN_FILE) -> None:
    """Replace the file by this content and its checksum."""
    with replacing(directory / name) as temporary:
        temporary.write_text(json.dumps({**content, CHECKSUM_KEY: _checksum(content)}, indent=2), encoding="utf-8")


def _checksum(record: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
