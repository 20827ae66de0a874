"""JSON read piece by piece: the released training files have gigabytes on one line."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from opendpr.errors import InputError
from opendpr.storage.compression import open_input
from opendpr.storage.lines import RECORD_BYTES

SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class ReadSizes:
    """How a file is read."""

    read_bytes: int = 1 << 18
    """Bytes read at once."""
    record_bytes: int = RECORD_BYTES
    """Longest record."""


def read_array(path: Path, member: str | None = None, sizes: ReadSizes = ReadSizes()) -> Iterator[tuple[str, Any]]:
    """Yield place and value of each element of a JSON array.

    A place is `file:line (record n)`, n from 1: many arrays are written on one line.

    Args:
        member: the array is this member of the object that the file holds; None: it is the whole file.

    Raises:
        InputError: the file cannot be read, is not valid JSON, or has an element longer than `sizes` allow.
    """
    with open_input(path) as file:
        text = _Text(path, file, sizes)
        yield from _elements(text) if member is None else _member(text, member)
        _expect_end(text)


def array_elements(file: IO[bytes], path: Path) -> Iterator[tuple[str, Any]]:
    """The same from an open file that is one array; `path` is what places and errors call it."""
    text = _Text(path, file)
    yield from _elements(text)
    _expect_end(text)


def read_values(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield place and value of JSON values that follow each other, whatever lines they are written on.

    Raises:
        InputError: as for `read_array`.
    """
    with open_input(path) as file:
        yield from values_after_another(file, path)


def values_after_another(file: IO[bytes], path: Path) -> Iterator[tuple[str, Any]]:
    """The same from an open file; `path` is what places and errors call it."""
    text = _Text(path, file)
    number = 0
    while text.peek():
        number += 1
        place = f"{path}:{text.line} (record {number})"
        yield place, text.value()


def read_members(path: Path) -> Iterator[tuple[str, str, Any]]:
    """Yield place, name and value of each member of the one JSON object that a file holds.

    Raises:
        InputError: as for `read_array`.
    """
    with open_input(path) as file:
        text = _Text(path, file)
        for name in _names(text):
            text.peek()
            place = f"{path}:{text.line} (member {name[:60]!r})"
            yield place, name, text.value()
        _expect_end(text)


def _expect_end(text: _Text) -> None:
    if rest := text.peek():
        raise text.error(f"expected the end of the file, found {rest!r}")


def _elements(text: _Text) -> Iterator[tuple[str, Any]]:
    text.expect("[", "an array")
    number, more = 0, text.peek() != "]"
    while more:
        number += 1
        text.peek()
        place = f"{text.path}:{text.line} (record {number})"
        yield place, text.value()
        more = text.peek() == ","
        if more:
            text.expect(",", "a comma")
    text.expect("]", "a comma, or the end of the array")


def _names(text: _Text) -> Iterator[str]:
    """The names of an object's members; whoever iterates passes over the value that follows each."""
    text.expect("{", "an object")
    more = text.peek() != "}"
    while more:
        name = text.value() if text.peek() == '"' else None
        if not isinstance(name, str):
            raise text.error("expected the name of a member")
        text.expect(":", "a colon")
        yield name
        more = text.peek() == ","
        if more:
            text.expect(",", "a comma")
    text.expect("}", "a comma, or the end of the object")


def _member(text: _Text, wanted: str) -> Iterator[tuple[str, Any]]:
    has_member = False
    for name in _names(text):
        if name == wanted:
            has_member = True
            yield from _elements(text)
        else:
            text.peek()
            text.value()
    if not has_member:
        raise InputError(f"{text.path}:1: expected an object with {wanted!r}, found none")


class _Text:
    """The text of a file, of which only what is being parsed is in memory."""

    def __init__(self, path: Path, file: IO[bytes], sizes: ReadSizes = ReadSizes()) -> None:
        self._sizes = sizes
        self.path = path
        self.line = 1
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape")
        self._parser = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is not space, which is left where it is; empty at the end."""
        while True:
            match = SPACE.match(self._text, self._at)
            assert match  # it matches nothing, too
            self._move(match.end())
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def expect(self, character: str, what: str) -> None:
        """Pass over a character."""
        if (there := self.peek()) != character:
            raise self.error(f"expected {what}, found {repr(there) if there else 'the end of the file'}")
        self._move(self._at + 1)

    def value(self) -> Any:  # noqa: ANN401  # JSON
        """Parse one value; `peek` was called before."""
        while True:
            try:
                value, end = self._parser.raw_decode(self._text, self._at)
            except RecursionError:
                raise self.error("nested too deeply") from None
            except ValueError as error:
                if not self._fill():
                    raise self._not_json(error) from None
            else:
                if end < len(self._text) or not self._fill():  # a number may go on
                    self._move(end)
                    return value

    def error(self, problem: str) -> InputError:
        """An error at the present place."""
        return InputError(f"{self.path}:{self.line}: not valid JSON: {problem}")

    def _not_json(self, error: ValueError) -> InputError:
        if isinstance(error, json.JSONDecodeError):
            line = self.line + self._text.count("\n", self._at, error.pos)
            return InputError(f"{self.path}:{line}: not valid JSON: {error.msg}")
        return self.error(str(error))

    def _move(self, at: int) -> None:
        self.line += self._text.count("\n", self._at, at)
        self._at = at

    def _fill(self) -> bool:
        """Read as much again as is held already; False at the end of the file."""
        held = len(self._text) - self._at
        if self._ended:
            return False
        if held > self._sizes.record_bytes:
            raise self.error(f"a record has more than {self._sizes.record_bytes // 1_000_000} MB, or is not JSON")
        data = self._file.read(max(self._sizes.read_bytes, held))
        self._ended = not data
        self._text = self._text[self._at :] + self._decoder.decode(data, final=self._ended)
        self._at = 0
        return True
