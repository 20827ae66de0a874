"""Superscripts and subscripts of a PDF page, which only the size and the place of their characters tell."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from opendpr.corpus.formula import lowered, raised

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

SCRIPT_START = re.compile(r"(?<=[^\s_])[-\u2212]?\d|(?<=\S)[^\W\d_](?![^\W\d_])")
"""Where digits may join what is before them, and letters that end a word: a mark of a note may be one."""
NOTE_START = re.compile(r"^\s*(\d{1,3}|[a-z]{1,2}?)(?=[^\W\d_])", re.MULTILINE)
"""Digits or letters that begin a line and the first word of it: the mark of the note that the line is."""
SMALLER_SHARE = 0.85
"""Size of a script, as a share of the size of what is before it, at most."""
SMALLEST_SHARE = 0.45
"""And at least: a smaller letter follows an initial as high as several lines."""
SHIFT_SHARE = 0.1
"""How far it is moved up or down, as a share of that size, at least."""
SCRIPT_LENGTH = 20
SCRIPT_LETTERS = 2
"""Most letters at the end of a word that are a script of it."""


class Glyph(NamedTuple):
    """How a character is written: its size, and the height of its base line, in points."""

    size: float
    height: float


def with_scripts(text: str, page: PdfTextPage) -> str:
    """The text of a page with its scripts set apart, as in other kinds: `1874^12`, `10^4`, `Strand^a`.

    Args:
        text: all of the page, each character of which PDFium counts as one
    """
    if not text.isascii() and max(text) > "\uffff":
        return text  # PDFium counts such characters twice
    pieces: list[str] = []
    at = 0
    for start, end, written in sorted([*_note_starts(text, page), *_scripts(text, page)]):
        if start >= at:
            pieces += [text[at:start], written]
            at = end
    return "".join([*pieces, text[at:]])


def _scripts(text: str, page: PdfTextPage) -> Iterator[tuple[int, int, str]]:
    """Where each script begins and ends, and what is written for it."""
    at = 0
    for match in SCRIPT_START.finditer(text):
        start = match.start()
        if start < at or not (base := _base(text, page, start)):
            continue
        start, before, shift = base
        end = start + 1
        while end < min(len(text), start + SCRIPT_LENGTH) and not text[end].isspace():
            if _shift(before, _glyph(page, end)) != shift:
                break
            end += 1
        script = (raised if shift > 0 else lowered)(text[start:end], text[max(0, start - 2) : start].lstrip())
        apart = " " if script[:1] == "^" and text[end : end + 1].isalnum() else ""
        at = end
        yield start, end, f"{script}{apart}"


def _base(text: str, page: PdfTextPage, start: int) -> tuple[int, Glyph, int] | None:
    """Where the script that holds a character begins, what it belongs to, and its shift; None if it is no script."""
    letters = SCRIPT_LETTERS if text[start].isalpha() else 1
    glyph = _glyph(page, start)
    for first in range(start, max(0, start - letters), -1):
        before = _glyph(page, first - 1)
        if text[first - 1].isspace() or before is None:
            return None
        if shift := _shift(before, glyph):
            is_letter = text[start].isalpha()
            return None if is_letter and shift < 0 else (first, before, shift)
    return None


def _note_starts(text: str, page: PdfTextPage) -> Iterator[tuple[int, int, str]]:
    """The marks of notes that are glued to the first word of the note, with a space after them."""
    for match in NOTE_START.finditer(text):
        after = _glyph(page, match.end())
        if after is not None and _shift(after, _glyph(page, match.start(1))) > 0:
            yield match.start(1), match.end(1), f"{match[1]} "


def _shift(before: Glyph, glyph: Glyph | None) -> int:
    """1 for a superscript of what is before it, -1 for a subscript, 0 for neither."""
    if glyph is None or not SMALLEST_SHARE * before.size <= glyph.size <= SMALLER_SHARE * before.size:
        return 0
    moved = glyph.height - before.height
    return 0 if abs(moved) < SHIFT_SHARE * before.size else 1 if moved > 0 else -1


def _glyph(page: PdfTextPage, place: int) -> Glyph | None:
    """A character by its place in the text; None for one that is not written upright or that PDFium puts in."""
    from pypdfium2 import raw

    number = raw.FPDFText_GetCharIndexFromTextIndex(page, place)
    matrix, x, y = raw.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    if number < 0 or raw.FPDFText_IsGenerated(page, number) or not raw.FPDFText_GetMatrix(page, number, matrix):
        return None
    if matrix.b or matrix.c or not raw.FPDFText_GetCharOrigin(page, number, x, y):
        return None
    return Glyph(raw.FPDFText_GetFontSize(page, number) * abs(matrix.d), y.value)
