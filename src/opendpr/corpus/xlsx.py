"""Excel workbooks, .xlsx, a zip file of XML (ECMA-376): the values that were stored last; nothing in them is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import IO

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import BlockText, Extract, NotReadError, storable, visible
from opendpr.corpus.office import OFF_VALUES, main_part, relations, values
from opendpr.corpus.pptx import Slide
from opendpr.corpus.rows import ROW_END, SAMPLE_ROWS, is_table, joined_rows, table_text
from opendpr.corpus.xlsx_sheet import SharedStrings, Sheet
from opendpr.corpus.xlsx_values import CellStyles
from opendpr.wording import counted


class Workbook:
    """What a workbook says of its sheets."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        """Name and id of each that is shown."""
        self.from_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, attributes = name.rpartition("}")[2], values(attributes)
        if local == "workbookPr":
            self.from_1904 = attributes.get("date1904", "0") not in OFF_VALUES
        elif local == "sheet" and attributes.get("state", "visible") == "visible":
            self.sheets.append((attributes.get("name", ""), attributes.get("id", "")))


def parse_xlsx(file: IO[bytes]) -> list[Extract]:
    """Each sheet that is shown and has text: its name, its rows, and the text boxes on it."""
    archive, workbook, styles, strings = Archive(file), Workbook(), CellStyles(), SharedStrings()
    main = main_part(archive, "xl/workbook.xml")
    archive.parse(main, workbook.start)
    for part in relations(archive, main, "/styles").values():
        if part in archive:
            archive.parse(part, styles.start)
    for part in relations(archive, main, "/sharedStrings").values():
        if part in archive:  # some programs name one that is not there
            archive.parse(part, strings.start, strings.end, strings.data)
    parts, sheets, problems = relations(archive, main), [], []
    for name, id in workbook.sheets:
        if id in parts:
            sheet = Sheet(strings.texts, styles, from_1904=workbook.from_1904)
            if text := sheet_content(archive, parts[id], sheet):
                sheets.append(Extract(storable(name), text))
            problems += not_computed(name, sheet.not_computed)
    if not sheets:
        raise NotReadError(problems[0][1] if problems else "no text")
    return [*sheets[:-1], replace(sheets[-1], problems=problems)]


def sheet_content(archive: Archive, part: str, sheet: Sheet) -> str:
    """The text of a sheet: its rows, then the text boxes on it."""
    archive.parse(part, sheet.start, sheet.end, sheet.data)
    for table in relations(archive, part, "/table").values():
        if table in archive:
            archive.parse(table, sheet.start)
    return ROW_END.join(filter(None, [sheet_text(sheet.rows()), *text_boxes(archive, part)]))


def not_computed(name: str, cells: Sequence[str]) -> list[tuple[str, str]]:
    """What is wrong with formulas that no program has computed."""
    if not cells:
        return []
    reason = f"no value is stored for {counted(len(cells), 'formula')}, first in {cells[0]}"
    return [(f"sheet {name}", f"{reason}; open the file in an office program and save it")]


def text_boxes(archive: Archive, part: str) -> list[str]:
    """The texts in the drawings on a sheet."""
    texts = []
    for drawing in relations(archive, part, "/drawing").values():
        if drawing in archive:
            text = BlockText()
            shapes = Slide(text)
            archive.parse(drawing, shapes.start, shapes.end, shapes.data)
            texts.append(visible(storable(text.text())))
    return texts


def sheet_text(rows: Iterable[Sequence[str]]) -> str:
    """The rows of a sheet: with the names of their columns if it is one table, else as lines with tabs."""
    filled = (row for row in rows if any(row))
    start = list(islice(filled, SAMPLE_ROWS))
    if is_table(start):
        return table_text(chain(start, filled))
    return joined_rows(("\t".join(row).rstrip() for row in chain(start, filled)), "\n")
