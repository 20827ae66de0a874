"""Files as the world writes them: opening, decompressing, JSON lines with their line numbers."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
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
RECORD_BYTES = 32_000_000
"""Longest line, or element of a JSON array: more than any record of these formats has, and little memory."""


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading, through its decompressor if its name ends in .gz, .xz, .zst or .bz2."""
    file: IO[bytes] = COMPRESSED.get(path.suffix.lower(), open)(path, "rb")
    return file


@contextmanager
def open_input(path: Path) -> Iterator[IO[bytes]]:
    """`open_binary` with errors in our words.

    Raises:
        InputError: the file cannot be opened or read.
    """
    try:
        with open_binary(path) as file:
            yield file
    except READ_ERRORS as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from None


@contextmanager
def open_output(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing, through the compressor that its name asks for.

    What is written takes the name `path` when all of it is on the disk: an error or a kill leaves the file
    as it was. A pipe or a device is written directly.
    """
    direct = path.exists() and not path.is_file()
    temporary = path if direct else path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with _opened(temporary, path) as raw:
            with _compressed(raw, path) as file:
                yield file
            raw.flush()
            if not direct:
                os.fsync(raw.fileno())
        if not direct:
            os.replace(temporary, path)
    except BaseException:
        if not direct:
            temporary.unlink(missing_ok=True)
        raise


def _opened(temporary: Path, path: Path) -> IO[bytes]:
    """A new file; an error has the name of the one that was asked for."""
    try:
        return temporary.open("wb")
    except OSError as error:
        error.filename = str(path)
        raise


def _compressed(raw: IO[bytes], path: Path) -> AbstractContextManager[IO[bytes]]:
    """A file that compresses into `raw`; the same content gives the same bytes."""
    file: Any = nullcontext(raw)
    suffix = path.suffix.lower()
    if suffix == ".gz":
        file = gzip.GzipFile(uncompressed_name(path).name, "wb", fileobj=raw, mtime=0)
    elif suffix == ".zst":
        file = zstd.open(raw, "wb", options={zstd.CompressionParameter.checksum_flag: 1})
    elif suffix in COMPRESSED:
        file = COMPRESSED[suffix](raw, "wb")
    opened: AbstractContextManager[IO[bytes]] = file
    return opened


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


def uncompressed_name(path: Path) -> Path:
    """The name without the ending of a compression: `a.jsonl.gz` -> `a.jsonl`."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


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


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reason(error: BaseException) -> str:
    """What went wrong, without the name of the file that the message already has."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
