"""Lines of text and JSON, with their line numbers, and limits that no damaged file can break."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from opendpr.errors import InputError
from opendpr.storage.compression import open_input, open_output

RECORD_BYTES = 32_000_000
"""Longest line, or element of a JSON array: more than any record of these formats has, and little memory."""
LINE_EDGES = (
    "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\0\x1a\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
"""White space, byte order marks, signs without width, and what ended files of MS-DOS: no part of a line's words."""


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines, each with its end, and return how many."""
    count = 0
    with open_output(path) as file:
        for line in lines:
            file.write(line.encode())
            count += 1
    return count


def json_line(record: object) -> str:
    """A record as one line of JSON, with its end."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number, from 1, and object of each line; empty lines are passed over.

    Raises:
        InputError: the file cannot be read, or a line is not a JSON object.
    """
    with open_input(path) as file:
        yield from parse_jsonl(limited_lines(file), str(path))


def parse_jsonl(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The same from an open file; `name` is what errors call it."""
    for number, record in scan_jsonl(lines):
        if isinstance(record, str):
            raise InputError(f"{name}:{number}: {record}")
        yield number, record


def scan_jsonl(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield line number, from 1, and object of each line, or in its place what is wrong with the line."""
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode().strip(LINE_EDGES)
            record = json.loads(text) if text else {}
        except UnicodeDecodeError as error:
            yield number, f"not valid UTF-8 ({error.reason} at byte {error.start})"
        except (ValueError, RecursionError) as error:
            yield number, f"not valid JSON: {error}"
        else:
            if not isinstance(record, dict):
                yield number, f"expected a JSON object, found {json_kind(record)}"
            elif text:
                yield number, record


def limited_lines(file: IO[bytes], limit: int = RECORD_BYTES) -> Iterator[bytes]:
    """The lines of a file.

    Raises:
        OSError: a line has more than `limit` bytes.
    """
    for number in range(1, 1 << 62):
        line = file.readline(limit + 1)
        if len(line) > limit:
            raise OSError(
                f"line {number:,} has more than {limit // 1_000_000} MB of text; cut it into several files; "
                "what comes after it was not read"
            )
        if not line:
            return
        yield line


def json_kind(value: object) -> str:
    """What JSON calls a parsed value, with its article, for messages."""
    return {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )
