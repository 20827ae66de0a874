"""JSON: each line, or each element of an array, is one document; records without a text are one document together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, TypeAlias

from opendpr.corpus.encodings import WESTERN_ENCODING, is_western, western_records
from opendpr.corpus.extract import NotReadError
from opendpr.corpus.names import usual_keys
from opendpr.corpus.rows import SAMPLE_ROWS, joined_rows, record_text
from opendpr.corpus.source import TEXT_BYTES, Reading, Source
from opendpr.corpus.unicode_forms import in_utf8, is_binary
from opendpr.errors import InputError
from opendpr.interop.json_stream import array_elements, values_after_another
from opendpr.storage.lines import json_kind, limited_lines, scan_jsonl
from opendpr.types import NO_METADATA, Document

PlacedRecord: TypeAlias = tuple[str, int, dict[str, Any] | str]
"""A place, the number of a record in its file, and the record or what is wrong with it."""


JSON_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{")
"""Begins an array of objects."""
SPREAD_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{[ \t]*\r?\n")
"""Begins an object on several lines, as programs write them for readers, one after the other."""
SPREAD_OBJECTS = re.compile(SPREAD_OBJECT.pattern + rb".*?\n\}\s*\{", re.DOTALL)


def read_json_lines(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Each line is one document, with an id of its own or numbered; so is each element where the file is an array."""
    head, file = in_utf8(file)
    if is_binary(head):
        yield source.place, "binary file"
    elif JSON_ARRAY.match(head):
        yield from _array(file, source)
    elif SPREAD_OBJECT.match(head):
        yield from _values(file, source)
    else:
        lines = limited_lines(file, TEXT_BYTES)
        if is_western(head):
            recoded = (line.decode(WESTERN_ENCODING, "replace").encode() for line in lines)
            yield from western_records(json_documents(recoded, source))
        else:
            yield from json_documents(lines, source)


def read_json_array(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Each element is one document, with an id of its own or numbered."""
    yield from _array(in_utf8(file)[1], source)


def read_json_values(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Each of the objects that follow each other, on as many lines as they take, is one document."""
    yield from _values(in_utf8(file)[1], source)


def _array(file: IO[bytes], source: Source) -> Iterator[Reading]:
    return record_documents(_elements(array_elements(file, Path(source.place)), source.place), source)


def _values(file: IO[bytes], source: Source) -> Iterator[Reading]:
    return record_documents(_elements(values_after_another(file, Path(source.place)), source.place), source)


def _elements(values: Iterable[tuple[str, Any]], place: str) -> Iterator[PlacedRecord]:
    """The values with their numbers, as far as the file is valid."""
    try:
        for number, (where, element) in enumerate(values, start=1):
            problem = f"expected a JSON object, found {json_kind(element)}"
            yield where, number, element if isinstance(element, dict) else problem
    except InputError as error:
        line, _, problem = str(error).removeprefix(f"{place}:").partition(": ")
        yield f"{place}:{line}", 0, f"{problem}; what comes after it was not read"


def json_documents(lines: Iterable[bytes], source: Source) -> Iterator[Reading]:
    """Yield the document of each line that is not empty, or what is wrong with the line."""
    numbered = ((f"{source.place}:{number}", number, record) for number, record in scan_jsonl(lines))
    return record_documents(numbered, source)


def record_documents(records: Iterable[PlacedRecord], source: Source) -> Iterator[Reading]:
    """The document of each record; of those without any text together, one whose blocks they are."""
    remaining = iter(records)
    sample = list(islice(remaining, SAMPLE_ROWS))
    objects = [record for _, _, record in sample if isinstance(record, dict)]
    if objects and not any("text" in usual_keys(record) for record in objects):
        yield from _whole(chain(sample, remaining), source)
        return
    for place, number, record in chain(sample, remaining):
        yield place, record if isinstance(record, str) else json_document(record, f"{source.id}:{number}")


def _whole(records: Iterable[PlacedRecord], source: Source) -> Iterator[Reading]:
    """All records as one document, then what is wrong with some of them."""
    problems: list[Reading] = []

    def blocks() -> Iterator[str]:
        for place, _, record in records:
            if isinstance(record, str):
                problems.append((place, record))
            else:
                yield record_text(record)

    try:
        text = joined_rows(blocks())
    except NotReadError as error:
        yield source.place, str(error)
        return
    yield source.place, Document(source.id, source.title, text, source.metadata)
    yield from problems


def json_document(record: dict[str, Any], id: str) -> Document | str:
    """Make a document of id, text and perhaps title, by any of their usual names; all else becomes metadata."""
    keys = usual_keys(record)
    values = {name: record[key] for name, key in keys.items()}
    if isinstance(lines := values.get("text"), list) and lines and all(isinstance(line, str) for line in lines):
        values["text"] = "\n".join(lines)
    if "text" not in keys:
        return f'expected "text", a string; found only {json.dumps(list(record))[:100]}'
    for name, expected, kinds in (
        ("id", "a string or an integer", (str, int)),
        ("text", "a string", (str,)),
        ("title", "a string or null", (str, type(None))),
    ):
        value = values.get(name)
        if name in values and (not isinstance(value, kinds) or isinstance(value, bool)):
            kind = f"the number {value}" if isinstance(value, float) else json_kind(value)
            return f'expected "{keys[name]}" to be {expected}, found {kind}'
    if values.get("id") == "":
        return f'expected "{keys["id"]}" to say something, found an empty string'
    metadata = {key: value for key, value in record.items() if key not in keys.values()}
    return Document(str(values.get("id", id)), values.get("title") or "", values["text"], metadata or NO_METADATA)
