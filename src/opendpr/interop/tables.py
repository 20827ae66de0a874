"""Tables of text: fields separated by tabs or spaces, quoted as in CSV or not at all."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from opendpr.errors import InputError
from opendpr.storage.compression import open_input
from opendpr.storage.lines import limited_lines, write_lines

FIELD_CHARACTERS = 10_000_000
"""Longest field. A quotation mark that is never closed takes the rest of a file into one field, up to here."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a surrogate pair; also what bytes that are not UTF-8 are decoded to."""


def read_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield place (`file:line`) and fields of each row of a table separated by tabs and quoted as in CSV.

    Raises:
        InputError: the file cannot be read, is not valid UTF-8, or has a quotation mark that is never closed.
    """
    with open_input(path) as file:
        lines = Lines(io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=""))
        try:
            for line, row in csv_rows(lines, "\t"):
                if any(map(SURROGATE.search, row)):
                    raise InputError(f"{path}:{line}: not valid UTF-8; convert the file to UTF-8")
                yield f"{path}:{line}", row
        except csv.Error as error:
            raise InputError(f"{path}:{lines.row}: {csv_problem(error)}") from None


def read_columns(path: Path, separator: str | None = None) -> Iterator[tuple[str, list[str]]]:
    r"""Yield place (`file:line`) and fields of each line that is not empty; quotation marks mean nothing.

    Args:
        separator: None is any white space.

    Raises:
        InputError: the file cannot be read, or is not valid UTF-8.
    """
    with open_input(path) as file:
        for number, line in enumerate(limited_lines(file), start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path}:{number}: not valid UTF-8 ({error.reason} at byte {error.start}); convert it"
                ) from None
            if fields := text.split(separator) if text.strip() else []:
                yield f"{path}:{number}", fields


def write_rows(path: Path, rows: Iterable[Iterable[str]]) -> int:
    """Write a table separated by tabs, fields quoted as in CSV where they must be; returns the number of rows."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")

    def lines() -> Iterator[str]:
        for row in rows:
            writer.writerow(row)
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()

    return write_lines(path, lines())


def plain(field: str) -> str:
    """A field for a table without quotation: tabs and line ends become spaces."""
    return " ".join(field.split()) if any(mark in field for mark in "\t\r\n") else field


def csv_rows(lines: Lines, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line where each row that is not empty begins, and its fields."""
    if csv.field_size_limit() < FIELD_CHARACTERS:
        csv.field_size_limit(FIELD_CHARACTERS)
    lines.row = lines.number + 1
    for row in csv.reader(lines, delimiter=separator):
        line, lines.row = lines.row, lines.number + 1
        if row:
            yield line, row


def csv_problem(error: csv.Error) -> str:
    """What is wrong with a table, for a message."""
    problem = "a quotation mark that is not closed?" if "field limit" in str(error) else "not CSV?"
    return f"{error} ({problem}); what comes after it was not read"


class Lines:
    """The lines of a text, counted. `row` is the line where the row being read began."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self.file = file
        self.number = 0
        self.row = 1

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self.file.readline(FIELD_CHARACTERS)
        self.number += 1
        if not line:
            raise StopIteration
        if len(line) == FIELD_CHARACTERS:
            raise csv.Error(f"line {self.number:,} has more than {FIELD_CHARACTERS:,} characters")
        return line
