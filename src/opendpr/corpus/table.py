"""Tables: each row is one document if a column is text, as in the released `psgs_w100.tsv`; else the whole table is."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO

from opendpr.corpus.encodings import SNIFFED_BYTES, WESTERN_ENCODING, is_western, western_records
from opendpr.corpus.extract import NotReadError
from opendpr.corpus.names import usual_keys
from opendpr.corpus.rows import SAMPLE_ROWS, table_text
from opendpr.corpus.source import Reading, Source
from opendpr.corpus.unicode_forms import RECOGNISED_BYTES, is_binary, unicode_form
from opendpr.interop.tables import SURROGATE, Lines, csv_problem, csv_rows
from opendpr.types import NO_METADATA, Document
from opendpr.wording import counted

PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,15})(\.\d{1,16})?", re.ASCII)
"""A number as it is usually written: neither `007` nor `+1` nor `1e5`."""


COLUMN_SEPARATORS = ",;\t|"
NO_SEPARATOR = "\x1f"
TEXT_SHARE = 0.6
"""Share of the lines that a separator must part into as many fields."""
NOT_UTF8 = "not valid UTF-8; convert the file to UTF-8"
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.I)
"""What Excel takes from the first line of a CSV file."""


@dataclass(frozen=True)
class TableForm:
    """How a table is written, and which of its columns hold what; no columns where none holds a text."""

    separator: str
    marked: bool
    """Whether its first line names the separator."""
    columns: Sequence[str] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    """The columns that hold `id`, `title` and `text`."""


def read_csv(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Fields are separated by commas, semicolons, tabs or bars: by what gives a column of text, or equal rows."""
    return read_table(file, source, COLUMN_SEPARATORS)


def read_tsv(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Fields are separated by tabs and quoted as in CSV."""
    return read_table(file, source, "\t")


def typed(value: str) -> str | int | float:
    """A number if the value is written like one, so that `year >= 2019` can be asked; else the value as it is."""
    if match := PLAIN_NUMBER.fullmatch(value):
        return float(value) if match[1] else int(value)
    return value


def read_table(file: IO[bytes], source: Source, separators: str) -> Iterator[Reading]:
    """The columns of text and, if there, of id and title make a document of each row; the others become metadata.

    A table without a column of text is one document, of a block for each row (`rows.py`).
    """
    head = file.read(SNIFFED_BYTES)
    mark, encoding = unicode_form(head)
    if encoding == "utf-8" and not mark and is_western(head):
        encoding = WESTERN_ENCODING
    if is_binary(head[:RECOGNISED_BYTES]):
        yield source.place, "binary file"
        return
    start = io.StringIO(head[len(mark) :].decode(encoding, "replace"), newline="")
    file.seek(len(mark))
    errors = "surrogateescape" if encoding == "utf-8" else "strict"
    decoded = io.TextIOWrapper(file, encoding, errors=errors, newline="")
    lines = Lines(decoded)
    try:
        form = table_form(list(islice(start, SAMPLE_ROWS)), separators)
        readings = documents(lines, source, form) if "text" in form.keys else whole_table(lines, source, form)
        yield from western_records(readings) if encoding == WESTERN_ENCODING else readings
    except csv.Error as error:
        yield f"{source.place}:{lines.row}", csv_problem(error)
    except UnicodeError as error:
        yield source.place, f"not valid {encoding.upper()} after line {lines.number:,} ({error}); convert it to UTF-8"
    finally:
        decoded.detach()  # the file is closed by who opened it


def table_form(start: Sequence[str], separators: str) -> TableForm:
    """How a table is written that begins with these lines."""
    marked = SEPARATOR_LINE.fullmatch(start[0]) if start else None
    body = start[1:] if marked else start
    separators = marked[1] if marked else separators
    for separator in separators:
        columns = [name.strip() for name in next(csv.reader(body[:1], delimiter=separator), [])]
        keys = usual_keys(columns)
        if "text" in keys:  # the only column has no separators, whatever signs its text has
            return TableForm(separator if len(columns) > 1 else NO_SEPARATOR, bool(marked), columns, keys)
    return TableForm(marked[1] if marked else usual_separator(body, separators), bool(marked))


def usual_separator(start: Sequence[str], separators: str) -> str:
    """The separator that parts most of the lines into as many fields; one that occurs nowhere if none does."""
    best, usual = 0.0, NO_SEPARATOR
    for separator in (*separators, *(other for other in COLUMN_SEPARATORS if other not in separators)):
        try:
            counts = Counter(len(row) for row in csv.reader(start, delimiter=separator) if row)
        except csv.Error:
            continue
        fields, rows = max(counts.items(), key=lambda pair: pair[1], default=(0, 0))
        share = rows / max(1, counts.total())
        if fields > 1 and share >= TEXT_SHARE and share > best:
            best, usual = share, separator
    return usual


def documents(lines: Lines, source: Source, form: TableForm) -> Iterator[Reading]:
    """The documents of a table that has a column of text."""
    for _ in range(1 + form.marked):
        next(lines)
    if len(set(form.columns)) < len(form.columns):
        yield f"{source.place}:{lines.number}", f"two columns have the same name: {json.dumps(form.columns)[:100]}"
        return
    for count, (line, row) in enumerate(csv_rows(lines, form.separator), start=1):
        yield f"{source.place}:{line}", document(row, form.columns, form.keys, f"{source.id}:{count}")


def whole_table(lines: Lines, source: Source, form: TableForm) -> Iterator[Reading]:
    """The one document of a table without a column of text, then what is wrong with some of its rows."""
    if form.marked:
        next(lines)
    problems: list[tuple[str, str]] = []
    try:
        text = table_text(_good_rows(lines, source.place, form.separator, problems))
    except NotReadError as error:
        yield source.place, str(error)
        return
    yield source.place, Document(source.id, source.title, text, source.metadata)
    yield from problems


def _good_rows(lines: Lines, place: str, separator: str, problems: list[tuple[str, str]]) -> Iterator[list[str]]:
    """The rows that can be read; `problems` gets places and reasons of the others."""
    try:
        for line, row in csv_rows(lines, separator):
            if any(map(SURROGATE.search, row)):
                problems.append((f"{place}:{line}", NOT_UTF8))
            else:
                yield row
    except csv.Error as error:
        problems.append((f"{place}:{lines.row}", csv_problem(error)))


def document(row: Sequence[str], columns: Sequence[str], keys: Mapping[str, str], id: str) -> Document | str:
    """The document of one row; `id` is for a table without ids."""
    if len(row) != len(columns):
        return f"expected {counted(len(columns), 'field')} as in the header, found {len(row)}"
    if any(map(SURROGATE.search, row)):
        return NOT_UTF8
    record = dict(zip(columns, row, strict=True))
    values = {name: record.pop(key) for name, key in keys.items()}
    if not values.get("id", id):
        return 'expected "id" to say something, found an empty field'
    metadata = {name: typed(value) for name, value in record.items() if value} or NO_METADATA
    return Document(values.get("id", id), values.get("title", ""), values["text"], metadata)
