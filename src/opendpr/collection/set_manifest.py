"""`set.json`: what makes a directory a set of collections, and which member a document belongs to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from opendpr.errors import CorruptionError, StateError
from opendpr.storage.atomic import write_json

SET_FILE = "set.json"
SET_FORMAT = 1
"""Number of the form of a set; a newer one is refused."""
HASH_BYTES = 8
"""Bytes of the SHA-256 of an id that choose the member."""
MOST_MEMBERS = 1_024


@dataclass(frozen=True)
class SetManifest:
    """What a set is made of; it never changes."""

    set_id: str
    members: tuple[str, ...]
    """The `collection_id` of each member, in order; their number is fixed, as the ids of documents choose by it."""

    def directories(self, directory: Path) -> list[Path]:
        """Where the members of a set in a directory are."""
        return [directory / member_name(place) for place in range(len(self.members))]


def member_name(place: int) -> str:
    """The name of a member's directory; members are counted from 1."""
    return f"member-{place + 1}"


def member_of(id: str, members: int) -> int:
    """The place, from 0, of the member that a document of this id belongs to."""
    digest = hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:HASH_BYTES], "big") % members


def is_set(directory: Path) -> bool:
    """Whether a directory holds a set of collections."""
    return (directory / SET_FILE).is_file()


def write_manifest(directory: Path, manifest: SetManifest) -> None:
    """Write `set.json`."""
    write_json(directory / SET_FILE, {"format": SET_FORMAT, **asdict(manifest)})


def read_manifest(directory: Path) -> SetManifest:
    """What is written in `set.json`.

    Raises:
        CorruptionError: it is not what was written.
        StateError: it is of a newer format.
    """
    path = directory / SET_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        form, manifest = content["format"], SetManifest(str(content["set_id"]), tuple(map(str, content["members"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptionError(
            f"{path} is damaged ({error!r}); restore it from a backup, the members beside it are whole collections"
        ) from None
    if form != SET_FORMAT:
        raise StateError(
            f"{directory} is a set of format {form}, this version of opendpr reads format {SET_FORMAT}; install a "
            "newer opendpr"
        )
    if not manifest.members:
        raise CorruptionError(f"{path} names no member; restore it from a backup")
    return manifest
