"""Tables with a header: each row is one document. The released `psgs_w100.tsv` is such a file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from opendpr.corpus.names import usual_keys
from opendpr.corpus.source import HEAD_BYTES, Reading, Source, byte_order_mark, is_binary
from opendpr.interop.tables import SURROGATE, Lines, csv_problem, csv_rows
from opendpr.types import EMPTY, Document
from opendpr.wording import counted

NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,15})(\.\d{1,16})?", re.ASCII)
"""A number as it is usually written: neither `007` nor `+1` nor `1e5`."""


SEPARATORS = ",;\t|"
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.I)
"""What Excel takes from the first line of a CSV file."""
SNIFFED_BYTES = 1 << 20
"""How much of a table is read to tell its encoding."""
WESTERN = "cp1252"
FOREIGN_SHARE = 0.3
"""Share of letters that are not ASCII from which on a table is of another encoding than `WESTERN`."""


def read_csv(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Fields are separated by commas, or by semicolons, tabs or bars if only then there is a column of text."""
    return read_table(file, source, SEPARATORS)


def read_tsv(file: IO[bytes], source: Source) -> Iterator[Reading]:
    """Fields are separated by tabs and quoted as in CSV."""
    return read_table(file, source, "\t")


def typed(value: str) -> str | int | float:
    """A number if the value is written like one, so that `year >= 2019` can be asked; else the value as it is."""
    if match := NUMBER.fullmatch(value):
        return float(value) if match[1] else int(value)
    return value


def read_table(file: IO[bytes], source: Source, separators: str) -> Iterator[Reading]:
    """The columns of text and, if there, of id and title make a document; the others become metadata."""
    head = file.read(SNIFFED_BYTES)
    mark, encoding = byte_order_mark(head)
    if encoding == "utf-8" and not mark and is_western(head):
        encoding = WESTERN
    if is_binary(head[:HEAD_BYTES]):
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


def is_western(head: bytes) -> bool:
    """Whether a table that begins so is Windows-1252, as Excel writes it: it has no UTF-8 and few foreign letters."""
    foreign = re.findall(rb"[\x80-\xff]+", head)
    if not foreign or any(map(is_utf8, foreign[:-1])) or (is_utf8(foreign[-1]) or b"\x81" in head):
        return False
    letters = len(re.findall(rb"[A-Za-z]", head))
    return sum(map(len, foreign)) <= FOREIGN_SHARE * (letters + sum(map(len, foreign)))


def is_utf8(data: bytes) -> bool:
    """Whether bytes are whole characters of UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def documents(lines: Lines, source: Source, separators: str) -> Iterator[Reading]:
    """The documents of a table whose lines these are."""
    first = next(lines, "")
    if match := SEPARATOR_LINE.fullmatch(first):
        separators, first = match[1], next(lines, "")
    columns, keys, separator = header(first, separators)
    if "text" not in keys:
        problem = (
            f'expected a header with a column "text", found {first.strip()[:100]!r}; rename the column that has it'
        )
        yield f"{source.place}:{lines.number}", problem
        return
    if len(set(columns)) < len(columns):
        yield f"{source.place}:{lines.number}", f"two columns have the same name: {json.dumps(columns)[:100]}"
        return
    lines.row = lines.number + 1
    for count, (line, row) in enumerate(csv_rows(lines, separator), start=1):
        yield f"{source.place}:{line}", document(row, columns, keys, f"{source.id}:{count}")


def header(line: str, separators: str) -> tuple[list[str], dict[str, str], str]:
    """The columns, those of them that hold `id`, `title` and `text`, and the first separator that gives a text."""
    columns: list[str] = []
    keys: dict[str, str] = {}
    for separator in separators:
        columns = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
        keys = usual_keys(columns)
        if "text" in keys:
            break
    return columns, keys, separator


def document(row: Sequence[str], columns: Sequence[str], keys: Mapping[str, str], id: str) -> Document | str:
    """The document of one row; `id` is for a table without ids."""
    if len(row) != len(columns):
        return f"expected {counted(len(columns), 'field')} as in the header, found {len(row)}"
    if any(map(SURROGATE.search, row)):
        return "not valid UTF-8; convert the file to UTF-8"
    record = dict(zip(columns, row, strict=True))
    values = {name: record.pop(key) for name, key in keys.items()}
    if not values.get("id", id):
        return 'expected "id" to say something, found an empty field'
    metadata = {name: typed(value) for name, value in record.items() if value} or EMPTY
    return Document(values.get("id", id), values.get("title", ""), values["text"], metadata)
