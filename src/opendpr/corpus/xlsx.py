"""Excel workbooks, .xlsx, by openpyxl: the values that Excel showed last; formulas and macros are not run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from itertools import chain, islice
from typing import IO, Any

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.rows import SAMPLE_ROWS, is_table, joined_rows, table_text

MAC_FOLDER = "__MACOSX/"
"""What Macs add to archives: files about files, whose names end as theirs do."""


def parse_xlsx(file: IO[bytes]) -> list[Extract]:
    """Each sheet that is shown and has text: its name and its rows."""
    from openpyxl import load_workbook

    archive = Archive(file)
    for name in archive.names():  # so that a bomb is found before openpyxl unpacks it, and XML with entities refused
        if name.endswith(".xml") and not name.startswith(MAC_FOLDER):
            archive.parse(name, lambda _name, _attributes: None)
    file.seek(0)
    workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    sheets = []
    for sheet in workbook.worksheets:
        if sheet.sheet_state == "visible" and (text := sheet_text(map(_values, sheet.iter_rows()))):
            sheets.append(Extract(storable(sheet.title), text))
    if not sheets:
        raise NotReadError("no text")
    return sheets


def _values(row: Iterable[Any]) -> list[object]:
    """The values of the cells of a row, shares as percentages where they are shown so."""
    numbers = ((cell.value, type(cell.value) in (int, float) and "%" in cell.number_format) for cell in row)
    return [_percentage(value) if is_share else value for value, is_share in numbers]


def _percentage(share: float) -> str:
    """A share as a percentage: `12.5%`."""
    return f"{round(100 * share, 4):g}%"


def sheet_text(rows: Iterable[Sequence[object]]) -> str:
    """The rows of a sheet: with the names of their columns if it is one table, else as lines with tabs."""
    filled = (row for cells in rows if any(row := [shown(cell) for cell in cells]))
    start = list(islice(filled, SAMPLE_ROWS))
    if is_table(start):
        return table_text(chain(start, filled))
    return joined_rows(("\t".join(row).rstrip() for row in chain(start, filled)), "\n")


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
