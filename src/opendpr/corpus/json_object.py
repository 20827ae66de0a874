"""A JSON file that is one object: a document, a list of records under one name, or a record without a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, Any

from opendpr.corpus.encodings import decoded
from opendpr.corpus.extract import NotReadError
from opendpr.corpus.jsonlines import json_document, record_documents
from opendpr.corpus.names import USUAL_NAMES, usual_keys
from opendpr.corpus.rows import joined_rows, record_text
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG, Reading, Source
from opendpr.corpus.unicode_forms import as_utf8
from opendpr.types import Document

JSON_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*\"")
TEXT_MEMBER = re.compile(rf'"(?:{"|".join(USUAL_NAMES["text"])})"\s*:\s*"'.encode(), re.I)
LISTED_RECORDS = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{(?:\s*\"[^\"]{0,100}\"\s*:\s*[^\[\]{}]{0,1000},){0,20}"
                            rb"\s*\"[^\"]{0,100}\"\s*:\s*\[\s*\{")  # fmt: skip
"""Begins an object with a list of others in it."""
RECORD_BYTES = 65_536
"""A larger object without a text or a list of records is data of a program, as a vocabulary."""
PROGRAM_FILES = frozenset(
    ("package.json", "package-lock.json", "composer.json", "bower.json", "tsconfig.json", "jsconfig.json")
)
PROGRAM_MEMBERS = re.compile(
    rb'"(?:\$schema|compilerOptions|(?:dev|peer)?dependencies|lockfileVersion|manifest_version)"\s*:', re.I
)
"""What settings of programs and lists of packages have, which nobody wrote for readers."""


def is_record(name: str, start: bytes) -> bool:
    """Whether a file is an object to read, if nobody has named it.

    Args:
        start: the first `RECORD_BYTES` bytes and one more
    """
    text = as_utf8(start)
    if not JSON_OBJECT.match(text) or name in PROGRAM_FILES or PROGRAM_MEMBERS.search(text):
        return False
    if len(start) > RECORD_BYTES:
        return bool(TEXT_MEMBER.search(text) or LISTED_RECORDS.match(text))
    try:
        json.loads(decoded(start).text)
    except (NotReadError, ValueError, RecursionError):
        return False
    return True


def read_json_object(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """The document that the object is, or those in its one list of records; else its values after their names."""
    data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        yield source.place, TOO_LONG
        return
    try:
        text = decoded(data)
        record = json.loads(text.text)
    except NotReadError as error:
        yield source.place, str(error)
        return
    except (ValueError, RecursionError) as error:
        yield source.place, f"not valid JSON: {error}"
        return
    if not isinstance(record, dict):
        yield source.place, "expected one JSON object"
        return
    yield from _documents(record, replace(source, metadata={**source.metadata, **text.metadata()}))


def _documents(record: Mapping[str, Any], source: Source) -> Iterator[Reading]:
    if isinstance(record.get(usual_keys(record).get("text", "")), str):
        document = json_document(dict(record), source.id)
        if isinstance(document, Document):
            title = document.title or source.title
            document = replace(document, title=title, metadata={**source.metadata, **document.metadata})
        yield source.place, document
        return
    lists = [value for value in record.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) == 1 and any("text" in usual_keys(item) for item in lists[0] if isinstance(item, dict)):
        yield from record_documents(_placed(lists[0], source.place), source)
        return
    try:
        yield source.place, Document(source.id, source.title, joined_rows(_blocks(record)), source.metadata)
    except NotReadError as error:
        yield source.place, str(error)


def _placed(items: list[Any], place: str) -> Iterator[tuple[str, int, dict[str, Any] | str]]:
    """The items of a list as records."""
    for number, item in enumerate(items, start=1):
        record = item if isinstance(item, dict) else "expected a JSON object in the list of records"
        yield f"{place} (record {number})", number, record


def _blocks(record: Mapping[str, Any]) -> Iterator[str]:
    """A block of the simple values, and one for each record in the lists of the object."""
    simple = {name: value for name, value in record.items() if not _has_records(value)}
    yield record_text(simple)
    for name, value in record.items():
        if _has_records(value):
            yield from (record_text({name: item}) for item in value)


def _has_records(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)
