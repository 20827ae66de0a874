"""The rounds beside a collection: what each was made of, whether it is at work, and what came of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import filelock

from opendpr.errors import BusyError, CorruptionError
from opendpr.model.directory import ROUND_FOLDER
from opendpr.storage.atomic import write_json

STATE_FILE = "state.json"
RESULT_FILE = "result.json"
LOCK_FILE = "lock"
"""File that the process which works on a round holds locked."""
ID_DIGITS = 12
"""Hexadecimal digits of a round's id."""
LOCK_SECONDS = 5.0
"""How long a round waits for its lock: whoever looks whether it is at work holds it for a moment."""
_NUMBER = re.compile(r"(?:-([2-9]|[1-9]\d+))?")
"""What follows the name of the first directory in those of the others."""


class Round(NamedTuple):
    """A round that was begun."""

    directory: Path
    """That of the model which it makes."""
    state: dict[str, Any]
    """The collection's version, its model, and the judged questions, as digests."""

    @property
    def id(self) -> str:
        """The same for every round of the same state."""
        return round_id(self.state)

    @property
    def collection_id(self) -> str:
        """That of the collection whose judged questions it is about."""
        return str(self.state["collection"][0])

    def is_at_work(self) -> bool:
        """Whether a process works on it; one that was killed does not."""
        path = self.directory / ROUND_FOLDER / LOCK_FILE
        if not os.access(path, os.W_OK):  # no process ever worked on it, or none that this one can look for
            return False
        try:
            with filelock.FileLock(path, timeout=0):
                return False
        except filelock.Timeout:
            return True

    def result(self) -> dict[str, Any] | None:
        """What came of it, as `opendpr improve --json` prints it; None before it is finished.

        Raises:
            CorruptionError: the file is not readable.
        """
        return _read_json(self.directory / ROUND_FOLDER / RESULT_FILE)

    def write_result(self, result: dict[str, Any]) -> None:
        """Keep what came of it, whole or not at all."""
        write_json(self.directory / ROUND_FOLDER / RESULT_FILE, result)


def round_id(state: dict[str, Any]) -> str:
    """The id of a round of that state."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:ID_DIGITS]


def places(collection: Path) -> Iterator[Path]:
    """The directories beside a collection that its rounds are written into, in this order."""
    first = _first_place(collection)
    yield first
    yield from (first.with_name(f"{first.name}-{number}") for number in count(2))


def rounds(collection: Path, collection_id: str) -> list[Round]:
    """The rounds beside a collection, the one that was begun or gone on with last at the end.

    Args:
        collection_id: of the collection that is there now; rounds of another that was there before are left out

    Raises:
        CorruptionError: the state of a round is not readable.
    """
    first = _first_place(collection)
    begun: list[tuple[int, int, Round]] = []
    for path in first.parent.glob(f"{escape(first.name)}*"):
        number = _NUMBER.fullmatch(path.name.removeprefix(first.name))
        state = read_state(path) if number else None
        if number and state is not None and (own := Round(path, state)).collection_id == collection_id:
            written = (path / ROUND_FOLDER / STATE_FILE).stat().st_mtime_ns  # a round that goes on writes it again
            begun.append((written, int(number[1] or 1), own))
    return [own for *_, own in sorted(begun, key=lambda entry: entry[:2])]


def _first_place(collection: Path) -> Path:
    whole = collection.resolve()
    parent = whole.parent if collection.name in ("", "..") else collection.parent  # "." is its own parent
    return parent / f"{whole.name}-improved"


@contextmanager
def working_on(output: Path) -> Iterator[None]:
    """Hold the lock of a round as long as it is worked on.

    Raises:
        BusyError: another process works on it.
    """
    lock = filelock.FileLock(output / ROUND_FOLDER / LOCK_FILE, timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise BusyError(f"another process works on {output} already; wait for it, or give another -o") from None
    try:
        yield
    finally:
        lock.release()


def read_state(output: Path) -> dict[str, Any] | None:
    """The state that a round was begun with; None where there is no round.

    Raises:
        CorruptionError: the file is not readable.
    """
    return _read_json(output / ROUND_FOLDER / STATE_FILE)


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise CorruptionError(
            f"{path} is not the readable JSON that a round writes ({error}); remove {path.parent.parent} to begin "
            "again, or give another -o"
        ) from None
