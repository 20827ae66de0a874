"""Dividing a collection: a set of collections with its documents, by the hash of their ids."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opendpr.collection import Collection, Writer, open_writer
from opendpr.collection.database import refuse_place
from opendpr.collection.dividing import Digest, begin_member, copy_documents, digest, refuse_judged
from opendpr.collection.set_manifest import MOST_MEMBERS, SetManifest, member_name, write_manifest
from opendpr.collection.verify import verify_store
from opendpr.errors import CorruptionError, StateError, UsageError
from opendpr.iteration import OnStage
from opendpr.search.bm25 import update_bm25
from opendpr.storage.atomic import make_directory, put_in_place, write_json

TASK_FILE = "dividing.json"
"""What is being divided into how many, while the set is written under another name."""


@dataclass(frozen=True)
class Divided:
    """What a set was made of."""

    members: int
    documents: int
    passages: int
    vectors: int


def divide(
    source: Writer, destination: Path, members: int, on_progress: OnStage = lambda what, done, total: None
) -> Divided:
    """Copy a collection into a set of `members` collections; interrupted, the same call goes on.

    Documents, passages, their numbers, vectors and metadata stay as they are. The copy is compared with the source, and
    appears under its name when it is whole.

    Args:
        source: held open, so that nobody changes it meanwhile

    Raises:
        CorruptionError: what was copied is not what the source has.
        ResourceError: it does not fit on the disk.
        StateError: the destination exists, or answers of the source were judged.
        UsageError: the number of members is not from 2 to 1,024, or the source is a set itself.
    """
    _check(source, destination, members)
    writing = destination.with_name(f"{destination.name}.writing")
    _begin(source, writing, members)
    directories = [writing / member_name(place) for place in range(members)]
    total = source.counts()["documents"]
    for directory in directories:
        begin_member(source, directory)
    with ExitStack() as opened:
        writers = [opened.enter_context(open_writer(directory)) for directory in directories]
        for done in copy_documents(source, writers):
            on_progress("documents", done, total)
        copied = _compare(source, writers, on_progress)
        for place, writer in enumerate(writers, start=1):
            update_bm25(writer)
            on_progress("words", place, members)
        ids = tuple(writer.id for writer in writers)
    (writing / TASK_FILE).unlink()
    write_manifest(writing, SetManifest(secrets.token_hex(16), ids))
    put_in_place(writing, destination)
    return Divided(members, total, copied.passages, copied.vectors)


def _check(source: Writer, destination: Path, members: int) -> None:
    if not 2 <= members <= MOST_MEMBERS:
        raise UsageError(f"a set has from 2 to {MOST_MEMBERS:,} members, got {members}")
    if source.parts != (source,):
        raise UsageError(f"{source.directory} is a set already; its number of members is fixed")
    if destination.exists():
        raise StateError(f"{destination} exists; give a directory that does not")
    refuse_judged(source)
    refuse_place(destination)


def _begin(source: Collection, writing: Path, members: int) -> None:
    """Note what is divided; what an interrupted call left of another state or number of members is removed."""
    task = {"collection_id": source.id, **source.version()._asdict(), "members": members}
    if _read(writing / TASK_FILE) == task:
        return
    shutil.rmtree(writing, ignore_errors=True)
    make_directory(writing)
    write_json(writing / TASK_FILE, task)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content


def _compare(source: Collection, members: Sequence[Collection], on_progress: OnStage) -> Digest:
    """What the members hold together; raises CorruptionError if that is not what the source holds."""
    problems = []
    for place, member in enumerate(members, start=1):
        problems += verify_store(member)
        on_progress("comparing", place, len(members))
    expected, copied = digest([source]), digest(members)
    if expected != copied:
        problems.append(f"the source holds {expected._asdict()}, the members {copied._asdict()}")
    if problems:
        raise CorruptionError(f"{problems[0]}; see to the disk, delete {members[0].directory.parent} and divide again")
    return copied
