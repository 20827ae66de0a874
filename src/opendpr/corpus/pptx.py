"""PowerPoint presentations, .pptx: a zip file of XML (ECMA-376)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import BlockText, Extract, storable, visible
from opendpr.corpus.office import OFF_VALUES, core_title, relations, values, whole
from opendpr.corpus.spanned_cells import MergedCells

PRESENTATION = "ppt/presentation.xml"
SLIDE = re.compile(r"ppt/slides/[^/]+\.xml")
NOTES = re.compile(r"notesSlides/[^/]+\.xml$")


def parse_pptx(file: IO[bytes]) -> Extract:
    """The slides in the order of the show, each with its notes; hidden slides are left out."""
    archive = Archive(file)
    text = BlockText()
    targets = relations(archive, PRESENTATION)
    order: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name.rpartition("}")[2] == "sldId":
            order.extend(targets[value] for key, value in attributes.items() if "}" in key and value in targets)

    archive.parse(PRESENTATION, start)
    for slide in filter(SLIDE.fullmatch, dict.fromkeys(order)):
        reading = Slide(text)
        archive.parse(slide, reading.start, reading.end, reading.data)
        for notes in relations(archive, slide).values():
            if reading.is_shown and NOTES.search(notes) and notes in archive:
                spoken = Slide(text)
                archive.parse(notes, spoken.start, spoken.end, spoken.data)
    return Extract(core_title(archive), visible(storable(text.text())))


class Slide:
    """Turns the elements of a slide into text: a paragraph a line, a blank line between shapes."""

    def __init__(self, text: BlockText) -> None:
        self._text = text
        self._in_text = False
        self._number = self._struck = False
        self._baseline = 0
        self._in_cell = self._begins = self._goes_on = False
        self._pieces = 0
        """How many pieces of text there are before the cell that is read."""
        self._merged = MergedCells()
        self.is_shown = True

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, attributes = name.rpartition("}")[2], values(attributes)
        self._in_text = local == "t" and self.is_shown and not self._number
        if local in ("sld", "notes"):
            self.is_shown = attributes.get("show", "1") not in OFF_VALUES
            self._text.separate("\n\n")
        elif local == "r":
            self._baseline, self._struck = 0, False
        elif local == "rPr":
            self._struck = attributes.get("strike", "noStrike") != "noStrike"
            self._baseline = (
                -1 if attributes.get("baseline", "").startswith("-") else whole(attributes.get("baseline", "0"))
            )
        elif local == "fld":
            self._number = attributes.get("type") == "slidenum"
        elif local in ("tbl", "tr", "tc"):
            self._start_table(local, attributes)
        elif local == "br":
            self._text.separate(" " if self._in_cell else "\n")

    def _start_table(self, local: str, attributes: Mapping[str, str]) -> None:
        """Begin a table, a row or a cell; cells that are merged with one beside or above them are there, empty."""
        if local == "tbl":
            self._merged.begin_table()
        elif local == "tr":
            self._text.begin_row()
            self._merged.begin_row()
        else:
            self._in_cell = True
            self._text.begin_cell()
            self._pieces = self._text.piece_count()
            self._begins = whole(attributes.get("rowSpan", "1"), 1) > 1
            self._goes_on = attributes.get("vMerge", "0") not in OFF_VALUES

    def end(self, name: str) -> None:
        local = name.rpartition("}")[2]
        self._in_text = False
        if local == "fld":
            self._number = False
        elif local == "p":
            self._text.separate(" " if self._in_cell else "\n")
        elif local == "tc":
            self._end_cell()
        elif local == "tr":
            self._text.end_row()
            self._text.separate("\n")
        elif local in ("sp", "graphicFrame"):
            self._text.separate("\n\n")

    def _end_cell(self) -> None:
        """A cell that goes on says what the first of them says."""
        self._in_cell = False
        words = self._text.since(self._pieces)
        if value := self._merged.add_cell(words, begins=self._begins, goes_on=self._goes_on):
            self._text.add(value)
        self._text.separate("\t")

    def data(self, data: str) -> None:
        if not self._in_text or self._struck:
            return
        if self._baseline and data.strip():
            add = self._text.add_raised if self._baseline > 0 else self._text.add_lowered
            add(data)
        else:
            self._text.add(data)
