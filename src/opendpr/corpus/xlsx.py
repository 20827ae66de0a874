"""Excel workbooks, .xlsx, by openpyxl: the values that Excel showed last; formulas and macros are not run."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import IO

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG


def parse_xlsx(file: IO[bytes]) -> list[Extract]:
    """Each sheet that is shown and has text: its name, and a line of values between tabs for each row."""
    from openpyxl import load_workbook

    archive = Archive(file)
    for name in archive.names():  # so that a bomb is found before openpyxl unpacks it, and XML with entities refused
        if name.endswith(".xml"):
            archive.parse(name, lambda _name, _attributes: None)
    file.seek(0)
    workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    found, characters = [], 0
    for sheet in workbook.worksheets:
        if sheet.sheet_state != "visible":
            continue
        lines = [line for row in sheet.iter_rows(values_only=True) if (line := "\t".join(map(shown, row)).rstrip())]
        characters += sum(map(len, lines))
        if characters > TEXT_BYTES:
            raise NotReadError(TOO_LONG)
        if lines:
            found.append(Extract(storable(sheet.title), storable("\n".join(lines))))
    if not found:
        raise NotReadError("no text")
    return found


def shown(value: object) -> str:
    """The value of a cell on one line."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return " ".join(str(value).split())
