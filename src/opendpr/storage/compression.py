"""Files read and written with the compression that their name shows: .gz, .xz, .zst, .bz2."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from opendpr.errors import InputError
from opendpr.storage.atomic import replacing

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


@contextmanager
def open_input(path: Path) -> Iterator[IO[bytes]]:
    """`open_binary` with errors in our words.

    Raises:
        InputError: the file cannot be opened or read.
    """
    try:
        with open_binary(path) as file:
            yield file
    except IsADirectoryError:
        raise InputError(f"{path} is a directory, expected a file; name the file in it") from None
    except READ_ERRORS as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from None


@contextmanager
def open_output(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing, through the compressor that its name asks for.

    The content takes the name `path` once all of it is on the disk: an error or a kill leaves the file
    as it was. A pipe or a device is written directly.
    """
    direct = path.exists() and not path.is_file()
    with (
        nullcontext(path) if direct else replacing(path) as target,
        _opened(target, path) as raw,
        _compressed(raw, path) as file,
    ):
        yield file


def _opened(target: Path, path: Path) -> IO[bytes]:
    """A new file; an error names the file that was asked for."""
    try:
        return target.open("wb")
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


def uncompressed_name(path: Path) -> Path:
    """The name without the ending of a compression: `a.jsonl.gz` -> `a.jsonl`."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


def reason(error: BaseException) -> str:
    """What went wrong, without the name of the file that the message already has."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
