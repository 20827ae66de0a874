"""Tables, CSV and TSV with a header: each row is one document. The released `psgs_w100.tsv` is such a file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import IO

from opendpr.corpus.source import HEAD_BYTES, Reading, Source, byte_order_mark, is_binary
from opendpr.interop.tables import SURROGATE, Lines, csv_problem, csv_rows
from opendpr.types import EMPTY, Document

NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,15})(\.\d{1,16})?", re.ASCII)
"""A number as it is usually written: neither `007` nor `+1` nor `1e5`."""


def read_csv(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Fields are separated by commas, or by semicolons or tabs if only then there is a column `text`."""
    return read_table(file, source, ",;\t")


def read_tsv(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Fields are separated by tabs and quoted as in CSV."""
    return read_table(file, source, "\t")


def typed(value: str) -> str | int | float:
    """A number if the value is written like one, so that `year >= 2019` can be asked; else the value as it is."""
    if match := NUMBER.fullmatch(value):
        return float(value) if match[1] else int(value)
    return value


def read_table(file: IO[bytes], source: Source, separators: str) -> Iterator[Reading]:
    """The columns `text` and, if there, `id` and `title` make a document; the others become metadata."""
    head = file.read(HEAD_BYTES)
    mark, encoding = byte_order_mark(head)
    if is_binary(head):
        yield source.place, "binary file"
        return
    file.seek(len(mark))
    errors = "surrogateescape" if encoding == "utf-8" else "strict"
    decoded = io.TextIOWrapper(file, encoding, errors=errors, newline="")
    lines = Lines(decoded)
    try:
        yield from documents(lines, source, separators)
    except csv.Error as error:
        yield f"{source.place}:{lines.row}", csv_problem(error)
    except UnicodeError as error:
        yield source.place, f"not valid {encoding.upper()} after line {lines.number:,} ({error}); convert it to UTF-8"
    finally:
        decoded.detach()  # the file is closed by who opened it


def documents(lines: Lines, source: Source, separators: str) -> Iterator[Reading]:
    """The documents of a table whose lines these are."""
    first = next(lines, "")
    for separator in separators:
        columns = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
        if "text" in columns:
            break
    else:
        problem = (
            f'expected a header with a column "text", found {first.strip()[:100]!r}; rename the column that has it'
        )
        yield f"{source.place}:1", problem
        return
    if len(set(columns)) < len(columns):
        yield f"{source.place}:1", f"two columns have the same name: {json.dumps(columns)[:100]}"
        return
    lines.row = lines.number + 1
    for count, (line, row) in enumerate(csv_rows(lines, separator), start=1):
        yield f"{source.place}:{line}", document(row, columns, f"{source.id}:{count}")


def document(row: Sequence[str], columns: Sequence[str], id: str) -> Document | str:
    """The document of one row; `id` is for a table without ids."""
    if len(row) != len(columns):
        return f"expected {len(columns)} fields as in the header, found {len(row)}"
    if any(map(SURROGATE.search, row)):
        return "not valid UTF-8; convert the file to UTF-8"
    record = dict(zip(columns, row, strict=True))
    text, title, id = record.pop("text"), record.pop("title", ""), record.pop("id", id)
    if not id:
        return 'expected "id" to say something, found an empty field'
    return Document(id, title, text, {name: typed(value) for name, value in record.items() if value} or EMPTY)
