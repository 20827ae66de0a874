"""The body of a Word document as Word shows it: each text once, in order, with its automatic numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opendpr.corpus.docx_fields import Control, Fields
from opendpr.corpus.docx_formula import MATH, Formula
from opendpr.corpus.docx_numbering import Numbering
from opendpr.corpus.docx_styles import BODY_TEXT, HIDING_PROPERTIES, WORD_NAMESPACE
from opendpr.corpus.docx_tables import TABLE_ELEMENTS, Tables
from opendpr.corpus.extract import BlockText
from opendpr.corpus.office import OFF_VALUES, values, whole
from opendpr.corpus.symbols import symbol, symbols

FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""A second form of the same content, for old programs."""
DROPPED_ELEMENTS = frozenset(("del", "moveFrom", "delText", "instrText"))
"""What was deleted or is elsewhere now, and instructions to Word."""
EARLIER_PROPERTIES = frozenset(("rPrChange", "pPrChange", "tblPrChange", "trPrChange", "tcPrChange", "numberingChange"))
"""How text looked before a tracked change."""
CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "\u2011"}


@dataclass(slots=True)
class Paragraph:
    """A paragraph on its way: where it lies in a list, and what is still to be written before its text."""

    style: str = ""
    list: str | None = None
    level: int | None = None
    joined: bool = False
    """Whether it runs into the next one: a drop cap, or its mark was deleted."""
    number: str = ""
    heading: int = -1
    """Level of the heading that it is, from 1; 0 if it is text, -1 if its style says."""
    in_properties: bool = False


@dataclass(slots=True)
class TextRun:
    """Text in one format."""

    hidden: bool | None = None
    script: str | None = None
    """`superscript`, `subscript` or neither; None if its style says."""
    style: str = ""
    font: str = ""


class Body:
    """Turns the elements of WordprocessingML into text.

    Args:
        marks: of a part with notes, what is written before each note, by its id
    """

    def __init__(self, text: BlockText, numbering: Numbering, marks: Mapping[str, str] | None = None) -> None:
        self._text, self._numbering, self._styles, self._marks = text, numbering, numbering.styles, marks
        self._paragraphs = [Paragraph()]
        self._run = TextRun()
        self._in_text = False
        self._tables = Tables(text)
        self._dropped = 0
        self._joined = False
        self._formula: Formula | None = None
        self._reading: list[str] | None = None
        self._in_reading = False
        self._fields = Fields()
        self._controls: list[Control] = []
        self._in_control_properties = self._in_row_properties = False
        self._hidden_rows: list[bool] = []
        """For each open row, the outermost first, whether it is hidden or deleted."""
        self._notes: dict[str, dict[str, str]] = {"footnote": {}, "endnote": {}}

    def notes(self, kind: str) -> Mapping[str, str]:
        """The numbers of the notes that the text referred to, in brackets, by id."""
        return self._notes[kind]

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, attributes = name.rpartition("}")[2], values(attributes)
        if (
            self._dropped
            or name == FALLBACK
            or (name.startswith(WORD_NAMESPACE) and self._is_dropped(local, attributes))
        ):
            self._dropped += 1
        elif name.startswith(MATH):
            if local == "oMath" and self._formula is None:
                self._formula = Formula()
            if self._formula is not None:
                self._formula.start(local, attributes)
        elif name.startswith(WORD_NAMESPACE):
            if self._in_control_properties:
                self._controls[-1].property(local, attributes)
            elif self._paragraphs[-1].in_properties:
                self._paragraph_property(local, attributes)
            elif not self._run_property(local, attributes):
                self._content(local, attributes)

    def _is_dropped(self, local: str, attributes: Mapping[str, str]) -> bool:
        """Whether what an element holds is no text."""
        if local in ("footnote", "endnote"):
            return self._marks is not None and attributes.get("id", "") not in self._marks  # nothing refers to it
        return local in EARLIER_PROPERTIES or (local in DROPPED_ELEMENTS and not self._is_mark())

    def _is_mark(self) -> bool:
        """Whether the element is about the mark of a paragraph or a whole row, not text inside."""
        return self._paragraphs[-1].in_properties or self._in_row_properties

    def _paragraph_property(self, local: str, attributes: Mapping[str, str]) -> None:
        paragraph = self._paragraphs[-1]
        if local == "pStyle":
            paragraph.style = attributes.get("val", "")
        elif local == "numId":
            paragraph.list = attributes.get("val", "")
        elif local == "ilvl":
            paragraph.level = whole(attributes.get("val", ""))
        elif local == "outlineLvl":
            paragraph.heading = (whole(attributes.get("val", ""), BODY_TEXT) + 1) % (BODY_TEXT + 1)
        elif local == "framePr":
            paragraph.joined |= attributes.get("dropCap", "none") != "none"
        elif local in ("del", "moveFrom"):
            paragraph.joined = True

    def _run_property(self, local: str, attributes: Mapping[str, str]) -> bool:
        """Note what an element says of the run that it is in; False if it is no property."""
        value = attributes.get("val", "")
        if local == "r":
            self._run = TextRun()
        elif local in HIDING_PROPERTIES or local == "webHidden":
            self._run.hidden = bool(self._run.hidden) or value not in OFF_VALUES
        elif local == "rStyle":
            self._run.style = value
        elif local == "vertAlign":
            self._run.script = value
        elif local == "position" and not self._paragraphs[-1].joined:
            self._run.script = "subscript" if value.startswith("-") else "superscript"
        elif local == "rFonts":
            self._run.font = attributes.get("ascii", "")
        else:
            return False
        return True

    def _content(self, local: str, attributes: Mapping[str, str]) -> None:
        if local == "t":
            self._in_text = True
        elif local in CHARACTERS and CHARACTERS[local].isspace() and self._tables.depth:
            self._text.separate(" ")  # a tab would begin a cell, a line end a row
        elif local in CHARACTERS:
            self._add(CHARACTERS[local])
        elif local == "sym":
            self._add(symbol(attributes.get("char", ""), attributes.get("font", "")))
        elif local == "p":
            self._begin_paragraph()
        elif local == "pPr":
            self._paragraphs[-1].in_properties = True
        elif local in TABLE_ELEMENTS:
            if local == "tr":
                self._hidden_rows.append(False)
            self._tables.start(local, attributes)
        elif local == "rt":
            self._reading, self._in_reading = [], True
        elif local in ("footnote", "endnote") and self._marks is not None:
            self._paragraphs[0].number = self._marks.get(attributes.get("id", ""), "")
        elif local in ("footnoteReference", "endnoteReference"):
            self._refer(self._notes[local.removesuffix("Reference")], attributes)
        else:
            self._form_content(local, attributes)

    def _form_content(self, local: str, attributes: Mapping[str, str]) -> None:
        """Take an element of a field, a content control or a row that is hidden or deleted."""
        if local == "fldChar":
            self._add(self._fields.character(attributes.get("fldCharType", "")))
        elif local == "sdt":
            self._controls.append(Control())
        elif local == "sdtPr":
            self._in_control_properties = bool(self._controls)
        elif local == "trPr":
            self._in_row_properties = True
        elif local in ("hidden", "del") and self._hidden_rows:
            self._hidden_rows[-1] = attributes.get("val", "1") not in OFF_VALUES
        else:
            self._fields.form(local, attributes)

    def _refer(self, marks: dict[str, str], attributes: Mapping[str, str]) -> None:
        """Write the mark of a note, unless a sign of its own follows."""
        if not self._is_hidden():
            usual = f"[{len(list(filter(None, marks.values()))) + 1}]"
            own = attributes.get("customMarkFollows", "0") not in OFF_VALUES
            self._add(marks.setdefault(attributes.get("id", ""), "" if own else usual))

    def end(self, name: str) -> None:
        local = name.rpartition("}")[2]
        self._in_text = False
        if self._dropped:
            self._dropped -= 1
        elif name.startswith(MATH):
            if self._formula is not None and (written := self._formula.end(local)) is not None:
                self._formula = None
                self._add(written)
        elif name.startswith(WORD_NAMESPACE):
            self._end_content(local)

    def _end_content(self, local: str) -> None:
        if local == "pPr":
            self._paragraphs[-1].in_properties = False
            self._count(self._paragraphs[-1])
            self._begin_heading(self._paragraphs[-1])
        elif local == "p":
            self._end_paragraph()
        elif local in TABLE_ELEMENTS:
            self._tables.end(local, hidden=any(self._hidden_rows))
            if local == "tr" and self._hidden_rows:
                self._hidden_rows.pop()
        elif local == "trPr":
            self._in_row_properties = False
        elif local == "rt":
            self._in_reading = False
        elif local == "ruby" and self._reading is not None:
            reading, self._reading = "".join(self._reading), None
            self._add(f"({reading})" if reading else "")
        elif local == "sdtPr":
            self._in_control_properties = False
        elif local == "sdt" and self._controls:
            self._add(self._controls.pop().value())

    def data(self, data: str) -> None:
        if self._dropped:
            return
        if self._formula is not None:
            self._formula.data(data)
        elif self._in_text and self._in_reading and self._reading is not None:
            self._reading.append(data)
        elif self._in_text:
            self._add(symbols(data, self._run.font))

    def _is_hidden(self) -> bool:
        """Whether Word shows nothing of the run."""
        run, paragraph = self._run, self._paragraphs[-1]
        by_style = self._styles.is_hidden(run.style or paragraph.style) if run.hidden is None else run.hidden
        prompts = any(control.prompts for control in self._controls)
        return by_style or prompts or any(self._hidden_rows) or self._fields.are_instructed()

    def _add(self, piece: str) -> None:
        """Add text of the run, unless it is hidden; the number of its paragraph comes first."""
        if not piece or self._is_hidden():
            return
        for control in self._controls:
            control.is_empty = False
        for opened in self._paragraphs:
            if opened.number:
                self._text.add(opened.number)
                self._text.separate(" ")
                opened.number = ""
        script = self._styles.script(self._run.style) if self._run.script is None else self._run.script
        if script == "superscript" and piece.strip():
            self._text.add_raised(piece)
        elif script == "subscript" and piece.strip():
            self._text.add_lowered(piece)
        else:
            self._text.add(piece)

    def _begin_paragraph(self) -> None:
        if not self._joined:
            self._separate_paragraphs()
        self._joined = False
        self._paragraphs.append(Paragraph())
        self._run = TextRun()

    def _end_paragraph(self) -> None:
        self._fields.end_paragraph()
        if len(self._paragraphs) > 1:
            paragraph = self._paragraphs.pop()
            self._joined = paragraph.joined
            if paragraph.heading > 0:
                self._text.end_heading()
        if not self._joined:
            self._separate_paragraphs()

    def _count(self, paragraph: Paragraph) -> None:
        """Give a paragraph the number that Word writes before it."""
        name, level = self._styles.list_of(paragraph.style)
        name = name if paragraph.list is None else paragraph.list
        if name not in ("", "0") and not paragraph.joined:
            paragraph.number = self._numbering.number(name, level if paragraph.level is None else paragraph.level)

    def _begin_heading(self, paragraph: Paragraph) -> None:
        """Begin a heading, if the paragraph is one; a cell of a table is none."""
        if paragraph.heading < 0:
            paragraph.heading = self._styles.heading_level(paragraph.style)
        if paragraph.heading and not self._tables.depth:
            self._text.begin_heading(paragraph.heading)

    def _separate_paragraphs(self) -> None:
        """Blank lines between paragraphs, but a cell of a table stays in its line."""
        self._text.separate(" " if self._tables.depth else "\n\n")
