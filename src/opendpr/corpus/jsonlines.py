"""JSON lines: each line is one document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

from opendpr.corpus.source import HEAD_BYTES, TEXT_BYTES, Reading, Source, byte_order_mark, is_binary
from opendpr.storage.lines import json_kind, limited_lines, scan_jsonl
from opendpr.types import EMPTY, Document


def read_json_lines(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Each line is one document, with an id of its own."""
    head = file.read(HEAD_BYTES)
    _mark, encoding = byte_order_mark(head)
    if is_binary(head):
        yield source.place, "binary file"
    elif encoding != "utf-8":
        yield source.place, f"expected JSON lines in UTF-8, found {encoding.upper()}; convert the file to UTF-8"
    else:
        file.seek(0)
        yield from json_documents(limited_lines(file, TEXT_BYTES), source.place)


def json_documents(lines: Iterable[bytes], name: str) -> Iterator[Reading]:
    """Yield the document of each line that is not empty, or what is wrong with the line."""
    for number, record in scan_jsonl(lines):
        yield f"{name}:{number}", record if isinstance(record, str) else json_document(record)


def json_document(record: dict[str, Any]) -> Document | str:
    """Make a document of `id`, `text` and perhaps `title`; what else the object has becomes metadata."""
    for key, expected, kinds in (
        ("id", "a string or an integer", (str, int)),
        ("text", "a string", (str,)),
        ("title", "a string or null", (str, type(None))),
    ):
        if key not in record and key != "title":
            return f'expected "{key}", {expected}; found only {json.dumps(list(record))[:100]}'
        value = record.get(key)
        if not isinstance(value, kinds) or isinstance(value, bool):
            found = f"the number {value}" if isinstance(value, float) else json_kind(value)
            return f'expected "{key}" to be {expected}, found {found}'
    if record["id"] == "":
        return 'expected "id" to say something, found an empty string'
    metadata = {key: value for key, value in record.items() if key not in ("id", "title", "text")}
    return Document(str(record["id"]), record.get("title") or "", record["text"], metadata or EMPTY)
