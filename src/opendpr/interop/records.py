"""Records, one JSON object each, in JSON lines or in an array, and their fields checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from opendpr.errors import InputError
from opendpr.interop.arrays import read_array
from opendpr.interop.tables import SURROGATE
from opendpr.storage.compression import open_input, open_output
from opendpr.storage.lines import json_kind, read_jsonl

HEAD_BYTES = 65_536
"""How much of a file is looked at to tell what it is."""
Fields = Mapping[str, Any]


class Record(NamedTuple):
    """One object of a file. `number` is its line in JSON lines, its place from 1 in an array."""

    place: str
    number: int
    fields: dict[str, Any]


def read_records(path: Path) -> Iterator[Record]:
    """Yield the objects of a file of JSON lines, or of a JSON array.

    Raises:
        InputError: the file cannot be read, or something in it is not a JSON object.
    """
    if not head(path).startswith("["):
        for line, fields in read_jsonl(path):
            yield Record(f"{path}:{line}", line, fields)
        return
    for number, (place, fields) in enumerate(read_array(path), start=1):
        if not isinstance(fields, dict):
            raise InputError(f"{place}: expected a JSON object, found {json_kind(fields)}")
        yield Record(place, number, fields)


def head(path: Path) -> str:
    """The beginning of a file, without byte order mark and space; what is not UTF-8 is left out."""
    with open_input(path) as file:
        return file.read(HEAD_BYTES).decode("utf-8-sig", "ignore").lstrip()


def is_squad(start: str) -> bool:
    """True if a file that begins so is an object with `data`, which JSON lines of questions have not."""
    return bool(re.match(r'\{\s*(?:"version"\s*:\s*(?:"[^"]*"|[\d.]+)\s*,\s*)?"data"\s*:', start))


def write_array(path: Path, records: Iterable[object]) -> int:
    """Write records as a JSON array, each on a line of its own, and return how many."""
    count = 0
    with open_output(path) as file:
        file.write(b"[")
        for record in records:
            file.write((",\n" if count else "\n").encode() + json.dumps(record, ensure_ascii=False).encode())
            count += 1
        file.write(b"\n]\n")
    return count


def text(fields: Fields, name: str, place: str, default: str | None = None) -> str:
    """A string; `default` is for one that is missing or null."""
    value = fields.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise InputError(f"{place}: expected '{name}' to be a string, found {_kind(fields, name)}")
    return checked(value, name, place)


def words(fields: Fields, name: str, place: str) -> str:
    """A string that says something."""
    value = text(fields, name, place)
    if not value.strip():
        raise InputError(f"{place}: expected '{name}' in words, found {value!r:.60}")
    return value


def texts(fields: Fields, name: str, place: str) -> tuple[str, ...]:
    """A list of strings; none if it is missing."""
    values = fields.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(f"{place}: '{name}' must be a list of strings, found {_kind(fields, name)}")
    return tuple(checked(value, name, place) for value in values)


def identifier(fields: Fields, name: str, place: str, default: str | None = None) -> str:
    """A string or an integer, as a string that is not empty; `default` is for one that is missing or null."""
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    found = text(fields, name, place, default)
    if not found and default is None:
        raise InputError(f"{place}: expected '{name}' to say something, found an empty string")
    return found


def number(fields: Fields, name: str, place: str) -> float | None:
    """A finite number, or a string that holds one; None if it is missing, null or empty."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        raise InputError(f"{place}: expected '{name}' to be a number, found {json_kind(value)}")
    return finite(value, name, place)


def finite(value: float | str, name: str, place: str) -> float:
    """A number out of a field."""
    try:
        found = float(value)
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{place}: expected '{name}' to be a finite number, found {value!r:.60}")
    return found


def objects(fields: Fields, name: str, place: str) -> list[dict[str, Any]]:
    """A list of objects; none if it is missing or null."""
    values = fields.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise InputError(f"{place}: '{name}' must be a list of objects, found {_kind(fields, name)}")
    return values


def checked(value: str, name: str, place: str) -> str:
    """The value, which must be Unicode that can be written."""
    if match := SURROGATE.search(value):
        raise InputError(f"{place}: '{name}' is not valid Unicode or UTF-8 at character {match.start() + 1}; fix it")
    return value


def _kind(fields: Fields, name: str) -> str:
    if name not in fields:
        return f"only {json.dumps(list(fields))[:100]}"
    value = fields[name]
    return f"{json_kind(value)} with other things in it" if isinstance(value, list) else json_kind(value)
