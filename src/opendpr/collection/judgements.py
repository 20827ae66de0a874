"""What people said of answers: an optional table of a collection, which no search depends on.

A judgement is stored beside whoever holds the lock, and leaves the version of the collection as it is: caches and runs
stay valid. Its words are compared with the document whenever it is read.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from opendpr.collection.collection import Collection
from opendpr.collection.database import DATABASE, connect
from opendpr.collection.opening import open_collection
from opendpr.collection.parts import joined
from opendpr.collection.rows import check
from opendpr.collection.set_manifest import is_set
from opendpr.collection.writer import Writer
from opendpr.errors import InputError, OpendprError, UsageError
from opendpr.wording import counted

VerdictName: TypeAlias = Literal["right", "wrong", "better"]
"""The answer is right; it is wrong; other words are better."""
VERDICTS: tuple[VerdictName, ...] = get_args(VerdictName)
State: TypeAlias = Literal["current", "changed", "gone"]
"""The document has these words at this place; it has others there now; it was removed."""

_TABLE = (
    "CREATE TABLE IF NOT EXISTS judgements(id TEXT PRIMARY KEY, made TEXT NOT NULL, question TEXT NOT NULL, "
    "verdict TEXT NOT NULL, text TEXT NOT NULL, document TEXT NOT NULL, start INTEGER NOT NULL, who TEXT NOT NULL, "
    "shown TEXT NOT NULL, confidence REAL NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL, "
    "crc INTEGER NOT NULL)"
)
_ROWS = (
    "SELECT id, made, question, verdict, text, document, start, who, shown, confidence, model, fingerprint, crc "
    "FROM judgements ORDER BY rowid"
)
_PUT = f"INSERT OR REPLACE INTO judgements VALUES({', '.join('?' * 13)})"


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """The answer that was judged, as it was shown."""

    text: str = ""
    """Empty where no answer was found."""
    confidence: float = 0.0
    model: str = ""
    """Name of the model that gave it."""
    fingerprint: str = ""
    """That of its encoder."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said of the answer to a question."""

    id: str
    made: str
    """When, in UTC, as `2026-11-29T20:15:00+00:00`."""
    question: str
    verdict: VerdictName
    text: str
    """The words that are right or wrong, as they are in the document; empty if it was "no answer found" that is."""
    document_id: str = ""
    """Where the words are; empty if no document was named."""
    start: int = 0
    """Where they begin in the document's text."""
    who: str = ""
    """Name of the token of the request; empty without one."""
    shown: ShownAnswer = ShownAnswer()
    state: State = "current"

    @property
    def end(self) -> int:
        """Where the words end in the document's text, exclusive."""
        return self.start + len(self.text)


@joined(any)
def has_judgements(collection: Collection) -> bool:
    """Whether anything was ever judged; a collection made by an earlier version has no table for it."""
    return bool(collection.select("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'judgements'"))


@joined(sum)
def count_questions(collection: Collection) -> int:
    """How many questions were judged, whatever was said of their answers."""
    if not has_judgements(collection):
        return 0
    return int(collection.select("SELECT count(DISTINCT question) FROM judgements")[0][0])


def judgements(collection: Collection) -> list[Judgement]:
    """All judgements in the order in which they were made, each compared with its document.

    Raises:
        CorruptionError: a row is not what was written.
    """
    rows = [_checked(row) for row in _rows(collection)]
    texts = _texts(collection, {judgement.document_id for judgement in rows if judgement.text})
    return [replace(judgement, state=_state(judgement, texts)) for judgement in rows]


def judges(collection: Collection) -> dict[str, str]:
    """Who made each judgement, by its id."""
    return {row[0]: row[7] for row in _rows(collection)}


def verify_judgements(collection: Collection) -> Iterator[str]:
    """What is wrong with the rows."""
    for row in _rows(collection):
        try:
            _checked(row)
        except OpendprError as error:
            yield str(error)


def refuse_judging_set(directory: Path) -> None:
    """Raises UsageError if it is a set of collections, which could not tell the newer of two judgements."""
    if is_set(directory):
        raise UsageError(
            f"{directory} is a set of collections, whose answers cannot be judged; judge those of one collection"
        )


@contextmanager
def open_judgements(directory: Path) -> Iterator[Writer]:
    """Open a collection to judge its answers, without the lock: a long `opendpr add` need not end first.

    Raises:
        StateError: it is not a collection.
        UsageError: it is a set of collections.
        OpendprError: it cannot be written.
    """
    refuse_judging_set(directory)
    open_collection(directory).close()
    path = directory / DATABASE
    if not os.access(path, os.W_OK) or not os.access(directory, os.W_OK):
        raise OpendprError(f"{path} cannot be written; check its permissions")
    writer = Writer(directory, connect(path))
    try:
        yield writer
    finally:
        writer.close()


def put_judgements(writer: Writer, new: Iterable[Judgement]) -> None:
    """Store judgements, all or none; one with the id of another takes its place."""
    writer.note(_PUT, [_row(judgement) for judgement in new], table=_TABLE)


def remove_judgements(writer: Writer, ids: Sequence[str]) -> None:
    """Remove judgements, all or none.

    Raises:
        InputError: there is no judgement of such an id.
    """
    there = {row[0] for row in _rows(writer)}
    if unknown := [id for id in ids if id not in there]:
        raise InputError(
            f"{writer.directory} has no judgement {unknown[0]!r}, so nothing was removed; 'opendpr questions "
            f"{writer.directory}' lists {counted(len(there), 'judgement')}"
        )
    writer.note("DELETE FROM judgements WHERE id = ?", [(id,) for id in ids])


def rename_judged(writer: Writer, before: str, now: str) -> None:
    """Let the judgements of a document follow it to another id, each in its place of their order."""
    rows = [_checked(row) for row in _rows(writer) if row[5] == before]
    if rows:
        crcs = [(_row(replace(judgement, document_id=now))[-1], judgement.id) for judgement in rows]
        writer.note("UPDATE judgements SET document = ?, crc = ? WHERE id = ?", [(now, *values) for values in crcs])


@joined(lambda lists: list(chain.from_iterable(lists)))
def _rows(collection: Collection) -> list[tuple[Any, ...]]:
    return collection.select(_ROWS) if has_judgements(collection) else []


def _row(judgement: Judgement) -> tuple[object, ...]:
    fields = (
        *(judgement.id, judgement.made, judgement.question, judgement.verdict, judgement.text),
        *(judgement.document_id, judgement.start, judgement.who),
        *(judgement.shown.text, judgement.shown.confidence, judgement.shown.model, judgement.shown.fingerprint),
    )
    return (*fields, _crc(fields))


def _crc(fields: Sequence[object]) -> int:
    """CRC-32 of everything a judgement's row says."""
    return zlib.crc32(repr(tuple(fields)).encode("utf-8", "backslashreplace"))


def _checked(row: tuple[Any, ...]) -> Judgement:
    *fields, crc = row
    check(crc, _crc(fields), f"judgement {fields[0]}", "remove it with 'opendpr questions COLLECTION --remove ID'")
    id, made, question, verdict, text, document, start, who, *shown = fields
    return Judgement(id, made, question, verdict, text, document, start, who, ShownAnswer(*shown))


def _texts(collection: Collection, ids: Iterable[str]) -> dict[str, str]:
    """The texts of those documents that exist."""
    return {id: collection.document(id).text for id in ids if id and collection.has_document(id)}


def _state(judgement: Judgement, texts: dict[str, str]) -> State:
    if not judgement.text or not judgement.document_id:
        return "current"
    text = texts.get(judgement.document_id)
    if text is None:
        return "gone"
    return "current" if text[judgement.start : judgement.end] == judgement.text else "changed"
