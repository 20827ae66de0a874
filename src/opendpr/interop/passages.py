"""Passages and documents of other systems: `psgs_w100.tsv`, BEIR's `corpus.jsonl`, MS MARCO's `collection.tsv`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

from opendpr.errors import InputError
from opendpr.interop.records import head, identifier, read_records, text
from opendpr.interop.tables import plain, read_columns, read_rows, write_rows
from opendpr.storage.lines import json_line, write_lines
from opendpr.types import Document

PassageFormat = Literal["jsonl", "psgs", "beir", "msmarco"]
HEADER = ["id", "text", "title"]
"""Of `psgs_w100.tsv`: the text comes before the title."""


def read_passages(path: Path) -> Iterator[Document]:
    """Yield the records of a file of passages, each a document; the file is recognised by its content:

    - `psgs_w100.tsv`, tabs, quoted as in CSV, with a header of `id`, `text` and perhaps `title` in any order;
    - BEIR's `corpus.jsonl`, `{"_id", "title", "text"}`, and JSON lines with `id` in its place;
    - MS MARCO's `collection.tsv`, `id <tab> text`, no quotation, no header.

    Raises:
        InputError: the file cannot be read, or something in it is no passage; the message has the line.
    """
    start = head(path)
    if start.startswith(("{", "[")):
        for place, _, fields in read_records(path):
            id = identifier(fields, "_id" if "_id" in fields else "id", place)
            yield Document(id, text(fields, "title", place, ""), text(fields, "text", place))
    elif {"id", "text"} <= set(start.split("\n", 1)[0].rstrip("\r").split("\t")):
        yield from _psgs(path)
    else:
        for place, row in read_columns(path, "\t"):
            if len(row) != 2 or not row[0].strip():
                raise InputError(
                    f"{place}: expected id, tab, text (or a header with 'id' and 'text' in the first line), "
                    f"found {len(row)} fields: {row!r:.100}"
                )
            yield Document(row[0], "", row[1])


def write_passages(path: Path, passages: Iterable[Document], format: PassageFormat) -> int:
    """Write passages and return how many. `msmarco` holds no titles, and no line ends within a text."""
    if format == "psgs":
        return write_rows(path, chain([HEADER], ([each.id, each.text, each.title] for each in passages))) - 1
    if format == "msmarco":
        return write_lines(path, (f"{plain(each.id)}\t{plain(each.text)}\n" for each in passages))
    id = "_id" if format == "beir" else "id"
    return write_lines(path, (json_line({id: each.id, "title": each.title, "text": each.text}) for each in passages))


def _psgs(path: Path) -> Iterator[Document]:
    rows = read_rows(path)
    place, columns = next(rows)
    at = {name: number for number, name in enumerate(columns)}
    for place, row in rows:
        if len(row) != len(columns):
            raise InputError(f"{place}: expected {len(columns)} fields as in the header, found {len(row)}")
        if not row[at["id"]]:
            raise InputError(f"{place}: expected 'id' to say something, found an empty field")
        yield Document(row[at["id"]], row[at["title"]] if "title" in at else "", row[at["text"]])
