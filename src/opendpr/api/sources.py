"""What can be added: paths, documents, dicts, pairs of id and text."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from opendpr.corpus import Corpus
from opendpr.corpus.jsonlines import json_document
from opendpr.corpus.names import usual_keys
from opendpr.errors import InputError, UsageError
from opendpr.types import NO_METADATA, Document

DocumentSource: TypeAlias = str | os.PathLike[str] | Document | Mapping[str, Any] | tuple[str, str]
"""A path of a file or folder, a document, a dict with id and text, or a pair of id and text."""

METADATA_NAMES = ("metadata", "meta")
"""Keys of a dict whose value is itself a dict of metadata; all other keys are metadata one by one."""
VALUE_CHARACTERS = 60


def corpus_of(sources: DocumentSource | Iterable[DocumentSource]) -> Corpus:
    """What was given, as documents to read.

    Raises:
        InputError: a path does not exist, or a dict has no usable id or text.
        TypeError: something is of another type.
    """
    if isinstance(sources, str | os.PathLike | Document | Mapping):
        sources = [sources]
    elif not isinstance(sources, Iterable):
        raise _wrong_type(sources)
    return Corpus([_readable(source, number) for number, source in enumerate(sources)])


def _readable(source: object, number: int) -> Path | Document:
    if isinstance(source, Document):
        return source
    if isinstance(source, Mapping):
        return _document(source, number)
    if isinstance(source, str | os.PathLike):
        return _path(source)
    if isinstance(source, tuple):
        return _pair(source, number)
    raise _wrong_type(source)


def _wrong_type(source: object) -> TypeError:
    return TypeError(
        "expected paths, opendpr.Document, dicts with 'id' and 'text', or pairs (id, text), "
        f"got {type(source).__name__}: {_short(source)}"
    )


def _path(source: str | os.PathLike[str]) -> Path:
    text = os.fspath(source)
    if isinstance(source, str) and ("\n" in text or (" " in text and not os.path.lexists(text))):
        raise InputError(
            f"{_short(text)} is no file or folder; a text needs an id: give (id, text) in a list, or opendpr.Document"
        )
    return Path(text)


def _pair(source: tuple[object, ...], number: int) -> Document:
    match source:
        case (str() as id, str() as text):
            return Document(id, "", text)
    raise UsageError(f"source {number}: expected a pair (id, text) of two strings, got {_short(source)}")


def _document(record: Mapping[str, Any], number: int) -> Document:
    """A dict as a line of a JSON lines file would be read; a dict of metadata in it is its metadata."""
    names = usual_keys(record)
    if missing := [name for name in ("id", "text") if name not in names]:
        raise InputError(f"source {number}: expected a dict with {missing[0]!r}, found the keys {_short(list(record))}")
    nested = [name for name in METADATA_NAMES if isinstance(record.get(name), Mapping)]
    flat = {key: value for key, value in record.items() if key not in nested}
    document = json_document(flat, "")
    if isinstance(document, str):
        raise InputError(f"source {number}: {document}")
    metadata = dict(document.metadata)
    for name in nested:
        metadata |= record[name]
    return Document(document.id, document.title, document.text, metadata or NO_METADATA)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else repr(value)
    return text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}..."
