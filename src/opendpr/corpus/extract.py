"""What the parsers of documents with a layout share: they run in the child process (`child.py`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from opendpr.corpus.source import TEXT_BYTES, TOO_LONG
from opendpr.types import EMPTY

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What crafted and broken fonts map characters to: NUL and halves of surrogate pairs."""
STRENGTH = {"": 0, " ": 1, "\t": 2, "\n": 3, "\n\n": 4}


class NotReadError(Exception):
    """The file has no text that can be had; the message is the reason its user is told."""


@dataclass(frozen=True)
class Extract:
    """The text of one file, its own title if it has one, and what did not come out of it: where, and why."""

    title: str
    text: str
    metadata: Mapping[str, object] = field(default_factory=lambda: EMPTY)
    problems: list[tuple[str, str]] = field(default_factory=list)


class BlockText:
    """Text put together from pieces with the strongest separator asked for between two of them."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._separator = ""
        self._characters = 0

    def separate(self, separator: str) -> None:
        """Ask for a separator before the next piece; none is put before the first or after the last."""
        if STRENGTH[separator] > STRENGTH[self._separator]:
            self._separator = separator

    def break_line(self) -> None:
        """Ask for a new line; two in a row leave a line empty."""
        self._separator = "\n" if STRENGTH[self._separator] < STRENGTH["\n"] else "\n\n"

    def add(self, piece: str) -> None:
        """Add a piece as it is."""
        if self._pieces and self._separator:
            self._pieces.append(self._separator)
        self._separator = ""
        self._pieces.append(piece)
        self._characters += len(piece)
        if self._characters > TEXT_BYTES:
            raise NotReadError(TOO_LONG)

    def add_collapsed(self, piece: str) -> None:
        """Add a piece in which any white space stands for one space, as in HTML."""
        words = piece.replace("\t", " ").replace("\n", " ").replace("\r", " ").replace("\f", " ").split(" ")
        if not words[0]:
            self.separate(" ")
        if text := " ".join(filter(None, words)):
            self.add(text)
            if not words[-1]:
                self.separate(" ")

    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)


def storable(text: str) -> str:
    """The text, as long as it was, with U+FFFD in place of what no text may hold."""
    return UNSTORABLE.sub("\ufffd", text)
