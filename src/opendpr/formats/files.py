"""Files as the world writes them: opening, decompressing, JSON lines with their line numbers."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from opendpr.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESSED: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".zst": zstd.open,
    ".bz2": bz2.open,
}
READ_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error, zstd.ZstdError)
"""What opening or reading a damaged or missing file can raise."""


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading, through its decompressor if its name ends in .gz, .xz, .zst or .bz2."""
    file: IO[bytes] = COMPRESSED.get(path.suffix.lower(), open)(path, "rb")
    return file


def uncompressed_name(path: Path) -> Path:
    """The name without the ending of a compression: `a.jsonl.gz` -> `a.jsonl`."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number, from 1, and object of each line; empty lines are passed over.

    Raises:
        InputError: the file cannot be read, or a line is not a JSON object.
    """
    try:
        with open_binary(path) as file:
            yield from parse_jsonl(file, str(path))
    except READ_ERRORS as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from None


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
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
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


def json_kind(value: object) -> str:
    """What JSON calls a parsed value, with its article, for messages."""
    return {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reason(error: BaseException) -> str:
    """What went wrong, without the name of the file that the message already has."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
