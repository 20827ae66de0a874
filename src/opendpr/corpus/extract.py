"""What the parsers of documents with a layout share: they run in the child process (`child.py`)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opendpr.corpus.formula import lowered, raised
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG
from opendpr.text.sections import SECTIONS_KEY, Section
from opendpr.types import NO_METADATA

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What crafted and broken fonts map characters to: NUL and halves of surrogate pairs."""
UNSEEN_SIGNS = re.compile("[\u00ad\u200b\u2060\ufeff]")
"""Where a word may be parted, or must not be: nobody sees them, and they part words for a search."""
MOST_SECTIONS = 5_000
"""Headings and anchors of one document."""
UNPACKED_BYTES = 300_000_000
"""Most bytes that are unpacked of one file."""
CENTS = re.compile(r"[.,]\d\d")
"""What prices have in small digits above the line."""
STRENGTH = {"": 0, " ": 1, "\t": 2, "\n": 3, "\n\n": 4}


class NotReadError(Exception):
    """The file has no text that can be had; the message is the reason that its user is given."""


def check_unpacked(size_bytes: int) -> None:
    """Refuse a compressed file that unpacks to more than `UNPACKED_BYTES`.

    Raises:
        NotReadError: it does.
    """
    if size_bytes > UNPACKED_BYTES:
        raise NotReadError(f"it unpacks to more than {UNPACKED_BYTES // 1_000_000} MB; cut it into several files")


@dataclass(frozen=True)
class Extract:
    """The text of one file, its own title if it has one, and what did not come out of it: where, and why."""

    title: str
    text: str
    metadata: Mapping[str, object] = field(default_factory=lambda: NO_METADATA)
    problems: list[tuple[str, str]] = field(default_factory=list)


class BlockText:
    """Text put together from pieces with the strongest separator asked for between two of them."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._separator = ""
        self._characters = 0
        self._heading: tuple[int, str, int, int] | None = None
        self.sections: list[Section] = []
        """Headings and places with anchors, in order."""
        self._script: tuple[str, str, str] | None = None
        """The superscript or subscript that the last piece is: its kind, its content, the characters before it."""
        self._apart = self._digit = False
        """Whether what comes next must not join the last piece: a letter or digit, only a digit."""
        self._row = self._cell = -1
        """How many pieces there were before the row and the cell that are read; -1 outside."""
        self._one_line = False
        """Whether line ends in the cell that is read are spaces."""
        self._tabs = 0
        """How many cells began since the last piece, but for the first of the row."""

    def separate(self, separator: str) -> None:
        """Ask for a separator before the next piece; none is put before the first or after the last."""
        if self._one_line and STRENGTH[separator] > STRENGTH["\t"]:
            separator = " "
        if STRENGTH[separator] > STRENGTH[self._separator]:
            self._separator = separator
        if STRENGTH[separator] > STRENGTH["\t"]:
            self._tabs = 0

    def begin_row(self) -> None:
        """A row of a table begins; one inside a cell ends the row around it."""
        self._row, self._cell, self._tabs = len(self._pieces), -1, 0
        self._one_line = False

    def begin_cell(self, *, one_line: bool = False) -> None:
        """A cell of the row begins: a tab will stand before it, whether or not the cells around it say something.

        Args:
            one_line: what separates lines and blocks in the cell is a space
        """
        self._one_line = one_line and self._row >= 0
        if self._row < 0:
            return
        if self._cell >= 0:
            self.separate("\t")
            self._tabs += 1
        self._cell = len(self._pieces)

    def end_row(self) -> None:
        """The row ends, with tabs for the empty cells at its end, so that all rows have as many."""
        if 0 <= self._row < len(self._pieces) and self._tabs:
            self._pieces.append("\t" * self._tabs)
            self._characters += self._tabs
        self._row = self._cell = -1
        self._tabs, self._one_line = 0, False

    def break_line(self) -> None:
        """Ask for a new line; two in a row leave a line empty. An empty cell may hold one, too."""
        if 0 <= self._cell == len(self._pieces):
            return
        if self._one_line:
            self.separate(" ")
            return
        self._separator = "\n" if STRENGTH[self._separator] < STRENGTH["\n"] else "\n\n"

    def add(self, piece: str) -> None:
        """Add a piece as it is."""
        if (self._apart and piece[:1].isalnum()) or (self._digit and piece[:1].isdigit()):
            self.separate(" ")
        separator = self._separator if self._pieces else ""
        if self._tabs:
            separator = (separator if STRENGTH[separator] > STRENGTH["\t"] else "") + "\t" * self._tabs
        if separator:
            self._pieces.append(separator)
            self._characters += len(separator)
        self._separator, self._script, self._apart, self._digit = "", None, False, False
        self._tabs = 0
        self._pieces.append(piece)
        self._characters += len(piece)
        if self._characters > TEXT_BYTES:
            raise NotReadError(TOO_LONG)

    def close(self, piece: str) -> None:
        """Add a piece right after the last one, whatever was asked for between."""
        self._separator, self._tabs = "", 0
        self.add(piece)

    def add_collapsed(self, piece: str) -> None:
        """Add a piece in which any white space stands for one space, as in HTML."""
        words = piece.replace("\t", " ").replace("\n", " ").replace("\r", " ").replace("\f", " ").split(" ")
        if not words[0]:
            self.separate(" ")
        if text := " ".join(filter(None, words)):
            self.add(text)
            if not words[-1]:
                self.separate(" ")

    def add_raised(self, content: str, *, note: bool = False) -> None:
        """Add a superscript; the mark of a note is put in brackets."""
        if note and content[:1] not in ("[", "("):
            content = f"[{content}]"
        if CENTS.fullmatch(content) and self._before()[-1:].isdigit():
            self.add(content)
            return
        content, before = self._whole_script("raised", content)
        written = raised(content, before)
        self.add(written)
        self._script, self._apart = ("raised", content, before), written[:1] == "^"

    def add_beside_number(self, content: str) -> None:
        """Add a number that does not join a number before it."""
        if self._before()[-1:].isdigit():
            self.separate(" ")
        self.add(content)

    def end_script(self) -> None:
        """What comes next is a superscript or subscript of its own, not the rest of the last one."""
        self._script = None

    def add_lowered(self, content: str) -> None:
        """Add a subscript."""
        content, before = self._whole_script("lowered", content)
        self.add(lowered(content, before))
        self._script, self._digit = ("lowered", content, before), content[-1:].isdigit()

    def _whole_script(self, kind: str, content: str) -> tuple[str, str]:
        """A script with what the last piece began of it, which is taken back, and the characters before."""
        if self._script is None or self._script[0] != kind or self._separator:
            return content, self._before()
        self._characters -= len(self._pieces.pop())
        return self._script[1] + content, self._script[2]

    def begin_heading(self, level: int, anchor: str = "") -> None:
        """What comes next is a heading."""
        self._heading = level, anchor, len(self._pieces), self._characters

    def end_heading(self) -> None:
        """The heading ends."""
        if self._heading is not None:
            level, anchor, piece, start = self._heading
            content = "".join(self._pieces[piece:])
            words = " ".join(content.rstrip(" \n\t\u00b6").split())
            self._heading = None
            if words and len(self.sections) < MOST_SECTIONS:
                self.sections.append(Section(start + len(content) - len(content.lstrip()), level, words, anchor))

    def add_anchor(self, anchor: str) -> None:
        """A link may name what comes next."""
        if len(self.sections) < MOST_SECTIONS:
            self.sections.append(Section(self._characters + bool(self._pieces), 0, "", anchor))

    def take_sections(self, sections: Sequence[Section], page: str) -> None:
        """Those of the text that was added last, a page of its own; links to them name it."""
        offset = self._characters - len(self._pieces[-1])
        for section in sections[: MOST_SECTIONS - len(self.sections)]:
            anchor = f"{page}#{section.anchor}" if section.anchor else page
            self.sections.append(section._replace(start=section.start + offset, anchor=anchor))

    def piece_count(self) -> int:
        """How many pieces there are, for `since`."""
        return len(self._pieces)

    def since(self, count: int) -> str:
        """What was added after so many pieces."""
        return "".join(self._pieces[count:])

    def _before(self) -> str:
        """The two characters that the next piece will follow; none after a separator."""
        return self._pieces[-1][-2:] if self._pieces and not self._separator else ""

    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)


def section_metadata(sections: Sequence[Section], text: str) -> dict[str, object]:
    """Sections as metadata, with headings and offsets as they are in `visible(text)`; nothing if there are none."""
    unseen = [match.start() for match in UNSEEN_SIGNS.finditer(text)]
    rows = []
    for start, level, heading, anchor in sections:
        rows.append([start - bisect_left(unseen, start), level, storable(visible(heading)), storable(anchor)])
    return {SECTIONS_KEY: rows} if rows else {}


def visible(text: str) -> str:
    """The text without characters that nobody sees: soft hyphens, spaces without width."""
    return UNSEEN_SIGNS.sub("", text)


def storable(text: str) -> str:
    """The text, as long as it was, with U+FFFD in place of what no text may hold."""
    return UNSTORABLE.sub("\ufffd", text)
