"""Superscripts and subscripts of a PDF page, which only the size and the place of their characters tell."""

from __future__ import annotations

import ctypes
import re
from typing import TYPE_CHECKING, NamedTuple

from opendpr.corpus.formula import lowered, raised

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

SCRIPT_START = re.compile(r"(?<=[^\W_])[-\u2212]?\d")
"""Where digits may join what is before them."""
SMALLER_SHARE = 0.85
"""Size of a script, as a share of the size of what is before it, at most."""
SHIFT_SHARE = 0.1
"""How far it is moved up or down, as a share of that size, at least."""
SCRIPT_LENGTH = 20


class Glyph(NamedTuple):
    """How a character is written: its size, and the height of its base line, in points."""

    size: float
    height: float


def with_scripts(text: str, page: PdfTextPage) -> str:
    """The text of a page with its scripts set apart, as in other kinds: `1874^12`, `10^4`.

    Args:
        text: all of the page, each character of which PDFium counts as one
    """
    if not text.isascii() and max(text) > "\uffff":
        return text  # PDFium counts such characters twice
    pieces: list[str] = []
    at = 0
    for match in SCRIPT_START.finditer(text):
        start = match.start()
        if start < at or (before := _glyph(page, start - 1)) is None:
            continue
        shift = _shift(before, _glyph(page, start))
        if not shift:
            continue
        end = start + 1
        while end < min(len(text), start + SCRIPT_LENGTH) and not text[end].isspace():
            if _shift(before, _glyph(page, end)) != shift:
                break
            end += 1
        script = (raised if shift > 0 else lowered)(text[start:end], text[start - 1])
        apart = " " if script[:1] == "^" and text[end : end + 1].isalnum() else ""
        pieces += [text[at:start], script, apart]
        at = end
    return "".join([*pieces, text[at:]])


def _shift(before: Glyph, glyph: Glyph | None) -> int:
    """1 for a superscript of what is before it, -1 for a subscript, 0 for neither."""
    if glyph is None or glyph.size > SMALLER_SHARE * before.size:
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
