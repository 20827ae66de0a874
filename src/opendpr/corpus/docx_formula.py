"""Formulas of Word (Office MathML) on one line of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opendpr.corpus.formula import INVISIBLE, index, power, shaped

MATH = (
    "http://schemas.openxmlformats.org/officeDocument/2006/math}",
    "http://purl.oclc.org/ooxml/officeDocument/math}",
)
FORMULA_SHAPES = {
    "sSup": ("power", "e", "sup"),
    "sSub": ("index", "e", "sub"),
    "sSubSup": ("both", "e", "sub", "sup"),
    "f": ("fraction", "num", "den"),
    "rad": ("root", "e", "deg"),
    "limLow": ("index", "e", "lim"),
    "limUpp": ("power", "e", "lim"),
}
"""Which elements are written in which shape, and the elements in them that are its parts."""
BETWEEN_PARTS = {"mr": " ", "m": "; ", "eqArr": "; ", "func": " "}
"""What is put between the parts of matrices, rows of formulas and functions."""
OPENING, CLOSING, INTEGRAL, HAT = "(", ")", "\u222b", "\u0302"
"""Signs of elements that do not name their own."""


@dataclass(slots=True)
class Element:
    """An element that has begun: its pieces, its parts by their names, and the signs that its properties name."""

    pieces: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    signs: dict[str, str] = field(default_factory=dict)


class Formula:
    """One formula, put together from its elements as they begin and end."""

    def __init__(self) -> None:
        self._open: list[Element] = []

    def start(self, local: str, attributes: Mapping[str, str] | None = None) -> None:
        """Begin an element; `attributes` are its attributes."""
        if attributes and local in ("chr", "begChr", "endChr") and len(self._open) > 1:
            self._open[-2].signs[local] = attributes.get("val", "")
        self._open.append(Element())

    def data(self, data: str) -> None:
        if self._open:
            self._open[-1].pieces.append(INVISIBLE.sub("", data) if data.strip() else "")

    def end(self, local: str) -> str | None:
        """The formula, if this was its end."""
        if not self._open:
            return ""
        element = self._open.pop()
        written = _written(local, element)
        if not self._open:
            return written
        if written:
            self._open[-1].pieces.append(written)
        self._open[-1].parts[local] = written
        return None


def _written(local: str, element: Element) -> str:
    """One element on one line."""
    if local in FORMULA_SHAPES:
        shape, *names = FORMULA_SHAPES[local]
        return shaped(shape, [element.parts.get(name, "") for name in names])
    if local == "nary":  # a sum, an integral
        sign, below, above = element.signs.get("chr", INTEGRAL), *(element.parts.get(name) for name in ("sub", "sup"))
        sign = index(sign, below) if below else sign
        return f"{power(sign, above) if above else sign} {element.parts.get('e', '')}"
    written = BETWEEN_PARTS.get(local, "").join(element.pieces)
    if local == "d":  # a delimiter
        return f"{element.signs.get('begChr', OPENING)}{written}{element.signs.get('endChr', CLOSING)}"
    if local == "m":
        return f"[{written}]"
    return f"{written}{element.signs.get('chr', HAT)}" if local == "acc" else written
