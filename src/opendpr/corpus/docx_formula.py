"""Formulas of Word (Office MathML) on one line of text."""

from __future__ import annotations

from opendpr.corpus.formula import INVISIBLE, shaped

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
}
"""Which elements are written in which shape, and the elements in them that are its parts."""


class Formula:
    """One formula, put together from its elements as they begin and end."""

    def __init__(self) -> None:
        self._open: list[tuple[list[str], dict[str, str]]] = []

    def start(self, _local: str) -> None:
        self._open.append(([], {}))

    def data(self, data: str) -> None:
        if self._open:
            self._open[-1][0].append(INVISIBLE.sub("", data) if data.strip() else "")

    def end(self, local: str) -> str | None:
        """The formula, if this was its end."""
        if not self._open:
            return ""
        pieces, parts = self._open.pop()
        written = "".join(pieces)
        if local in FORMULA_SHAPES:
            shape, *names = FORMULA_SHAPES[local]
            written = shaped(shape, [parts.get(name, "") for name in names])
        if local == "d":  # a delimiter: parentheses unless it says otherwise
            written = f"({written})"
        if not self._open:
            return written
        self._open[-1][0].append(written)
        self._open[-1][1][local] = written
        return None
