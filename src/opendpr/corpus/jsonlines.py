"""JSON lines: each line is one document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

from opendpr.corpus.names import usual_keys
from opendpr.corpus.source import HEAD_BYTES, TEXT_BYTES, Reading, Source, byte_order_mark, is_binary
from opendpr.storage.files import json_kind, limited_lines, scan_jsonl
from opendpr.types import EMPTY, Document


def read_json_lines(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Each line is one document, with an id of its own or numbered."""
    head = file.read(HEAD_BYTES)
    _mark, encoding = byte_order_mark(head)
    if is_binary(head):
        yield source.place, "binary file"
    elif encoding != "utf-8":
        yield source.place, f"expected JSON lines in UTF-8, found {encoding.upper()}; convert the file to UTF-8"
    else:
        file.seek(0)
        yield from json_documents(limited_lines(file, TEXT_BYTES), source.place, source.id)


def json_documents(lines: Iterable[bytes], name: str, id: str) -> Iterator[Reading]:
    """Yield the document of each line that is not empty, or what is wrong with the line.

    Args:
        name: what places are called by
        id: of the file, which records without an id are numbered after
    """
    for number, record in scan_jsonl(lines):
        yield f"{name}:{number}", record if isinstance(record, str) else json_document(record, f"{id}:{number}")


def json_document(record: dict[str, Any], id: str) -> Document | str:
    """Make a document of id, text and perhaps title, by any of their usual names; all else becomes metadata."""
    keys = usual_keys(record)
    values = {name: record[key] for name, key in keys.items()}
    if "text" not in keys:
        return f'expected "text", a string; found only {json.dumps(list(record))[:100]}'
    for name, expected, kinds in (
        ("id", "a string or an integer", (str, int)),
        ("text", "a string", (str,)),
        ("title", "a string or null", (str, type(None))),
    ):
        value = values.get(name)
        if name in values and (not isinstance(value, kinds) or isinstance(value, bool)):
            found = f"the number {value}" if isinstance(value, float) else json_kind(value)
            return f'expected "{keys[name]}" to be {expected}, found {found}'
    if values.get("id") == "":
        return f'expected "{keys["id"]}" to say something, found an empty string'
    metadata = {key: value for key, value in record.items() if key not in keys.values()}
    return Document(str(values.get("id", id)), values.get("title") or "", values["text"], metadata or EMPTY)
