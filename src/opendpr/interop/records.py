"""Records, one JSON object each, in JSON lines or in an array, and their fields checked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from opendpr.errors import InputError
from opendpr.interop.json_stream import read_array, read_values
from opendpr.interop.tables import SURROGATE
from opendpr.storage.compression import open_input, open_output
from opendpr.storage.lines import LINE_EDGES, json_kind, read_jsonl

HEAD_BYTES = 65_536
"""How much of a file is read to tell what it is."""
Fields = Mapping[str, Any]
NOT_TEXT = {
    b"\x1f\x8b": "compressed by gzip; give its name the ending .gz",
    b"\xfd7zXZ": "compressed by xz; give its name the ending .xz",
    b"BZh9": "compressed by bzip2; give its name the ending .bz2",
    b"(\xb5/\xfd": "compressed by zstd; give its name the ending .zst",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"PAR1": "a Parquet file; write it as JSON lines",
    b"\xff\xfe": "UTF-16; convert it to UTF-8",
    b"\xfe\xff": "UTF-16; convert it to UTF-8",
}
"""What a file is that begins with these bytes, and what to do."""


class Record(NamedTuple):
    """One object of a file. `number` is its line in JSON lines, its place from 1 in an array."""

    place: str
    number: int
    fields: dict[str, Any]


def read_records(path: Path) -> Iterator[Record]:
    """Yield the objects of a file: JSON lines, a JSON array, or one object after the other over many lines.

    Raises:
        InputError: the file cannot be read, or something in it is not a JSON object.
    """
    start = head(path)
    if not start.startswith(("[", "{")) or (start.startswith("{") and _ends_on_its_line(start)):
        for line, fields in read_jsonl(path):
            yield Record(f"{path}:{line}", line, fields)
        return
    values = read_array(path) if start.startswith("[") else read_values(path)
    for number, (place, fields) in enumerate(values, start=1):
        if not isinstance(fields, dict):
            raise InputError(f"{place}: expected a JSON object, found {json_kind(fields)}")
        yield Record(place, number, fields)


def read_lists(path: Path, *, array: bool) -> Iterator[tuple[str, list[Any]]]:
    """Yield place and value of lists, as `["question", "positive", "negative"]`: one a line, or in an array.

    Raises:
        InputError: the file cannot be read, or something in it is not a JSON list.
    """
    for place, value in read_array(path) if array else read_values(path):
        if not isinstance(value, list):
            raise InputError(f"{place}: expected a list, found {json_kind(value)}")
        yield place, value


def head(path: Path, size: int = HEAD_BYTES) -> str:
    """The beginning of a file, without byte order mark and space; what is not UTF-8 is left out.

    Raises:
        InputError: the file cannot be read, or is no text.
    """
    with open_input(path) as file:
        start = file.read(size)
    for mark, what in NOT_TEXT.items():
        if start.startswith(mark):
            raise InputError(f"{path} is {what}")
    return start.decode("utf-8", "ignore").lstrip(LINE_EDGES)


def _ends_on_its_line(start: str) -> bool:
    """Whether the object that a file begins with ends on its first line, as it does in JSON lines."""
    line, line_end, rest = start.partition("\n")
    if not line_end:
        return True
    try:
        json.loads(line)
    except RecursionError:
        return True
    except ValueError:  # damaged, or over many lines: then a member or a bracket begins the next line
        return not (line.rstrip().endswith(("{", "[", ",", ":")) or rest.lstrip().startswith(('"', "}", "]", ",")))
    return True


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


def identifier(fields: Fields, name: str | Sequence[str], place: str, default: str | None = None) -> str:
    """A string or an integer, as a string that is not empty; `default` is for one that is missing or null.

    Args:
        name: that of the field, or several, of which the first that is there counts.
    """
    if not isinstance(name, str):
        name = next((field for field in name if fields.get(field) is not None), name[0])
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    id = text(fields, name, place, default)
    if not id and default is None:
        raise InputError(f"{place}: expected '{name}' to say something, found an empty string")
    return id


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
        parsed = float(value)
    except (ValueError, OverflowError):
        parsed = math.nan
    if not math.isfinite(parsed):
        raise InputError(f"{place}: expected '{name}' to be a finite number, found {value!r:.60}")
    return parsed


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
