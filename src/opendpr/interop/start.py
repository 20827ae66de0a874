"""How a file begins: enough of it to tell which system wrote it, and in which form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from opendpr.choices import Quoting
from opendpr.interop.records import head
from opendpr.interop.tables import TAB, TABS_OR_SPACE, split_columns
from opendpr.storage.compression import uncompressed_name

FIRST_RECORD_BYTES = 1_000_000
"""How much of a file is parsed to tell what its first record has."""
PARSED_DEPTH = 5
"""Levels of a record that is cut off which are still parsed."""
_SPACE = re.compile(r"[ \t\r\n]*")
Item = TypeVar("Item")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Start:
    """The beginning of a file."""

    path: Path
    text: str
    """Without byte order mark and leading space."""
    quoting: Quoting = "csv"
    """What quotation marks mean in a table."""

    @property
    def is_json(self) -> bool:
        """Whether the file holds JSON; a table is one although its first question begins as JSON does."""
        return self.text.startswith(("{", "[")) and not self._is_named_table

    @property
    def fields(self) -> Mapping[str, Any]:
        """The first object of a JSON file, as far as it was read; empty if there is none."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def line(self) -> str:
        """The first line."""
        return self.text.partition("\n")[0].rstrip("\r")

    @property
    def row(self) -> list[str]:
        """The fields of a table's first line, between tabs, with quotation marks as they are."""
        return [] if self.is_json else self.line.split("\t")

    @property
    def separator(self) -> str:
        """What separates the columns of a table with a header: by its name commas or semicolons, unless it has tabs."""
        if uncompressed_name(self.path).suffix.lower() != ".csv" or TAB in self.line:
            return TAB
        return ";" if ";" in self.line and "," not in self.line else ","

    @property
    def header(self) -> list[str]:
        """The names in the first line of a table, in lower case."""
        return [] if self.is_json else [name.strip().strip('"').lower() for name in self.line.split(self.separator)]

    @property
    def line_separator(self) -> str:
        """What separates the columns of a table of ids and numbers: tabs if its first line has any."""
        return TAB if TAB in self.line else TABS_OR_SPACE

    @property
    def columns(self) -> list[str]:
        """The fields of a table's first line, between tabs if it has any, else between white space."""
        return [] if self.is_json else split_columns(self.line, TABS_OR_SPACE)

    @property
    def value(self) -> Any:  # noqa: ANN401  # JSON
        """The first object, or the first list that holds no objects, of a JSON file."""
        value, _ = self._first
        return value[0] if isinstance(value, list) and value and isinstance(value[0], dict | list) else value

    @property
    def is_one_object(self) -> bool:
        """Whether the file is one JSON object, so far as its beginning shows."""
        _, end = self._first
        return self.is_json and self.text.startswith("{") and (end is None or not self.text[end:].strip())

    @cached_property
    def _first(self) -> tuple[Any, int | None]:
        return _partial(self.text, 0, PARSED_DEPTH) if self.is_json else (None, None)

    @property
    def is_array(self) -> bool:
        """Whether the file is one JSON array of objects or of lists."""
        return self.is_json and bool(re.match(r"\[\s*[{\[]", self.text))

    @property
    def is_keyed(self) -> bool:
        """Whether the file is one object that has an object for each question, under the question's id."""
        first = next(iter(self.fields.values()), None)
        return isinstance(first, dict) and "question" in first

    @property
    def _is_named_table(self) -> bool:
        name = uncompressed_name(self.path).suffix.lower()
        return name in (".csv", ".tsv") and "\t" in self.line

    @property
    def name_says_json(self) -> bool:
        """Whether the file's name ends as that of JSON."""
        return uncompressed_name(self.path).suffix.lower() in (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class FileForm(Generic[Item]):
    """One form of file that one system has."""

    shape: str
    """What it looks like, for messages."""
    recognises: Callable[[Start], bool]
    read: Callable[[Start], Iterator[Item]]


def look(path: Path, quoting: Quoting = "csv") -> Start:
    """Read the beginning of a file.

    Raises:
        InputError: it cannot be read.
    """
    return Start(path, head(path, FIRST_RECORD_BYTES), quoting)


def _partial(text: str, at: int, depth: int) -> tuple[Any, int | None]:
    """A JSON value, and where it ends; None where it is cut off or damaged: then the value has what comes before."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        opening = text[at : at + 1]
        if depth and opening == "{":
            return _partial_object(text, at, depth), None
        if depth and opening == "[":
            return _partial_array(text, at, depth), None
        return None, None
    return value, end


def _partial_object(text: str, at: int, depth: int) -> dict[str, Any]:
    members: dict[str, Any] = {}
    end: int | None = at
    while end is not None:
        name, end = _partial(text, _after_space(text, end + 1), 0)
        colon = len(text) if end is None else _after_space(text, end)
        if not isinstance(name, str) or text[colon : colon + 1] != ":":
            break
        members[name], end = _partial(text, _after_space(text, colon + 1), depth - 1)
        end = None if end is None else _after_space(text, end)  # at the comma
    return members


def _partial_array(text: str, at: int, depth: int) -> list[Any]:
    elements: list[Any] = []
    end: int | None = at
    while end is not None and not elements:  # the first one says what they are
        value, end = _partial(text, _after_space(text, end + 1), depth - 1)
        elements += [value] if value is not None else []
        end = None if end is None else _after_space(text, end)
    return elements


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
