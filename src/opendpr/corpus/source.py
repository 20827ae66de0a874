"""What every reader of a kind of file is given and gives back, and how the encoding of a text is recognised."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TypeAlias

from opendpr.types import Document

RECOGNISED_BYTES = 8_192
"""How far into a file a NUL byte is looked for, the mark of a binary file."""
TEXT_BYTES = 100_000_000
"""Most bytes in the text of one document, and in one line of a file of records, so that a small compressed file
cannot fill the memory."""
TOO_LONG = f"more than {TEXT_BYTES // 1_000_000} MB of text; cut it into several files"

BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a reader knows of the file it reads: names for a document that brings none of its own."""

    place: str
    id: str
    title: str
    metadata: Mapping[str, object]


Reading: TypeAlias = tuple[str, Document | str]
"""A place, and the document found there or the reason why there is none."""

Reader: TypeAlias = Callable[[IO[bytes], Source], Iterator[Reading]]
"""Reads the documents of one open file. Errors of reading are raised, what is wrong with a document is yielded."""


def byte_order_mark(data: bytes) -> tuple[bytes, str]:
    """The mark `data` begins with, possibly none, and the encoding it stands for."""
    return next(((mark, encoding) for mark, encoding in BYTE_ORDER_MARKS if data.startswith(mark)), (b"", "utf-8"))


def is_binary(head: bytes) -> bool:
    """True if a file that begins so is not text."""
    return b"\0" in head and byte_order_mark(head)[1] == "utf-8"


def not_valid(error: UnicodeDecodeError, before: int = 0) -> str:
    """Why bytes could not be decoded; `before` says how many bytes of the file came before them."""
    place = f"{error.reason} at byte {before + error.start:,}"
    return f"not valid {error.encoding.upper()} ({place}); convert the file to UTF-8"
