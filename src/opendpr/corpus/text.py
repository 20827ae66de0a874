"""Plain text."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

from opendpr.corpus.source import (
    RECOGNISED_BYTES,
    TEXT_BYTES,
    TOO_LONG,
    Reading,
    Source,
    byte_order_mark,
    is_binary,
    not_valid,
)
from opendpr.types import Document


def begins_as_text(head: bytes) -> bool:
    """Whether a file, of whose kind its name says nothing, begins with text that `read_text` reads."""
    mark, encoding = byte_order_mark(head)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head[len(mark) :])
    except UnicodeDecodeError:
        return False
    return bool(text) and not is_binary(head)


def read_text(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """The whole file is one document, to the character: only a byte order mark is left out."""
    data = file.read(RECOGNISED_BYTES)
    mark, encoding = byte_order_mark(data)
    if is_binary(data):
        yield source.place, "binary file"
        return
    data += file.read(TEXT_BYTES + 1 - len(data))
    if len(data) > TEXT_BYTES:
        yield source.place, TOO_LONG
        return
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        yield source.place, not_valid(error, len(mark))
        return
    yield source.place, Document(source.id, source.title, text, source.metadata)
