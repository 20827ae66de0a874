"""What every reader of a kind of file is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TypeAlias

from opendpr.types import Document

TEXT_BYTES = 100_000_000
"""Most bytes in the text of one document, and in one line of a file of records, so that a small compressed file
cannot fill the memory."""
TOO_LONG = f"more than {TEXT_BYTES // 1_000_000} MB of text; cut it into several files"


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


def not_valid(error: UnicodeDecodeError, before: int = 0) -> str:
    """Why bytes could not be decoded; `before` says how many bytes of the file came before them."""
    place = f"{error.reason} at byte {before + error.start:,}"
    return f"not valid {error.encoding.upper()} ({place}); convert the file to UTF-8"
