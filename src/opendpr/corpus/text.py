"""Plain text."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

from opendpr.corpus.encodings import decoded, is_western
from opendpr.corpus.extract import NotReadError
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG, Reading, Source
from opendpr.corpus.unicode_forms import RECOGNISED_BYTES, is_binary, unicode_form
from opendpr.types import Document


def begins_as_text(head: bytes) -> bool:
    """Whether a file, of whose kind its name says nothing, begins with text that `read_text` reads."""
    mark, encoding = unicode_form(head)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head[len(mark) :])
    except UnicodeDecodeError:
        return encoding == "utf-8" and not mark and not is_binary(head) and is_western(head)
    return bool(text) and not is_binary(head)


def read_text(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """The whole file is one document, to the character: only a byte order mark is left out."""
    data = file.read(RECOGNISED_BYTES)
    if is_binary(data):
        yield source.place, "binary file"
        return
    data += file.read(TEXT_BYTES + 1 - len(data))
    if len(data) > TEXT_BYTES:
        yield source.place, TOO_LONG
        return
    try:
        text = decoded(data)
    except NotReadError as error:
        yield source.place, str(error)
        return
    yield source.place, Document(source.id, source.title, text.text, {**source.metadata, **text.metadata()})
