"""Tables of text: fields separated by tabs or spaces, quoted as in CSV or not at all.

Quotation is read strictly. A quotation mark that was meant as text would otherwise join rows in silence.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from opendpr.choices import Quoting
from opendpr.errors import InputError
from opendpr.storage.compression import open_input
from opendpr.storage.lines import limited_lines, write_lines

TAB = "\t"
TABS_OR_SPACE = "tabs or space"
SPACES = re.compile(r"[ \r\v\f]+")
"""What separates columns for trec_eval, save for tabs: ids may hold Unicode's other spaces."""
FIELD_CHARACTERS = 10_000_000
"""Longest field. A quotation mark that is never closed takes the rest of a file into one field, up to here."""
TEXT_QUOTES = "; where quotation marks are part of the text, import the file with quoting none"
LINE_END = "\r\n"
"""Of the rows that the csv module writes; it quotes fields that have a character of it."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a surrogate pair; also what bytes that are not UTF-8 are decoded to."""


def read_rows(path: Path, quoting: Quoting = "csv", separator: str = "\t") -> Iterator[tuple[str, list[str]]]:
    """Yield place (`file:line`) and fields of each row of a table.

    Raises:
        InputError: the file cannot be read, is not valid UTF-8, or has a stray quotation mark.
    """
    if quoting == "none":
        yield from read_columns(path, separator)
        return
    with open_input(path) as file:
        lines = Lines(io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=""))
        try:
            for line, row in csv_rows(lines, separator):
                if any(map(SURROGATE.search, row)):
                    raise InputError(f"{path}:{line}: not valid UTF-8; convert the file to UTF-8")
                yield f"{path}:{line}", row
        except csv.Error as error:
            raise InputError(f"{path}:{lines.row}: {csv_problem(error)}{TEXT_QUOTES}") from None


def read_columns(path: Path, separator: str) -> Iterator[tuple[str, list[str]]]:
    r"""Yield place (`file:line`) and fields of each line that is not empty; quotation marks mean nothing.

    Args:
        separator: `TABS_OR_SPACE` splits a line with tabs at its tabs and another one at any white space.

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
            if text.strip():
                yield f"{path}:{number}", split_columns(text, separator)


def split_columns(text: str, separator: str) -> list[str]:
    """The fields of a line without quotation; `TABS_OR_SPACE` as for `read_columns`."""
    if separator != TABS_OR_SPACE:
        return text.split(separator)
    text = text.strip()
    if TAB in text:
        return [field.strip() for field in text.split(TAB)]
    return [field for field in SPACES.split(text) if field]


def write_rows(path: Path, rows: Iterable[Iterable[str]]) -> int:
    """Write a table separated by tabs, fields quoted as in CSV where they must be; returns the number of rows."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter="\t", lineterminator=LINE_END)  # so that fields with a CR are quoted too

    def lines() -> Iterator[str]:
        for row in rows:
            writer.writerow(row)
            yield buffer.getvalue().removesuffix(LINE_END) + "\n"
            buffer.seek(0)
            buffer.truncate()

    return write_lines(path, lines())


def plain(field: str) -> str:
    """A field for a table without quotation: tabs and line ends become spaces."""
    return " ".join(field.split()) if any(mark in field for mark in "\t\r\n") else field


def csv_rows(lines: Lines, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line where each row that is not empty begins, and its fields.

    Raises:
        csv.Error: a quotation mark is not closed, closes within a field, or joins what look like whole rows.
    """
    if csv.field_size_limit() < FIELD_CHARACTERS:
        csv.field_size_limit(FIELD_CHARACTERS)
    lines.row = lines.number + 1
    lines.raw.clear()
    for row in csv.reader(lines, delimiter=separator, strict=True):
        if separator == "\t" and len(lines.raw) > 1 and _are_rows(lines.raw):
            raise csv.Error(f"{len(lines.raw):,} lines of as many fields each are joined by a quotation mark")
        line, lines.row = lines.row, lines.number + 1
        lines.raw.clear()
        if row:
            yield line, row


def _are_rows(raw: list[str]) -> bool:
    """Whether the lines that make a row all have as many tabs, so that each looks like a row by itself."""
    tabs = {line.count("\t") for line in raw}
    return len(tabs) == 1 and tabs != {0}


def csv_problem(error: csv.Error) -> str:
    """What is wrong with a table, for a message."""
    return f"{error} (a stray or unclosed quotation mark?); what comes after it was not read"


class Lines:
    """The lines of a text, counted. `row` is the line where the row being read began."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.number = 0
        self.row = 1
        self.raw: list[str] = []
        """The lines of the row being read."""

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self.file.readline(FIELD_CHARACTERS)
        self.number += 1
        if not line:
            raise StopIteration
        if len(line) == FIELD_CHARACTERS:
            raise csv.Error(f"line {self.number:,} has more than {FIELD_CHARACTERS:,} characters")
        self.raw.append(line)
        return line


def column(id: str, separator: str = TABS_OR_SPACE) -> str:
    """An id for a table without quotation.

    Raises:
        InputError: it is empty, or holds what separates the columns.
    """
    if not id or (plain(id) != id if separator == "\t" else id.split() != [id]):
        what = "a tab or a line end" if separator == "\t" else "white space"
        raise InputError(
            f"the id {id!r} cannot be written: it is empty or has {what}, which separates the columns of this "
            "format; give the document another id, or export JSON"
        )
    return id
