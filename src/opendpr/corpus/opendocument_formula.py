"""Formulas of OpenDocument files, which are MathML in documents of their own, on one line of text."""

from __future__ import annotations

from collections.abc import Mapping

from opendpr.corpus.formula import ELEMENT_SHAPES, INVISIBLE, OTHER_NOTATIONS, shaped


class MathElements:
    """One formula, put together from its elements as they begin and end."""

    def __init__(self) -> None:
        self._open: list[tuple[str, list[str]]] = []
        self.written = ""
        """The formula, once its last element has ended; empty if it is none."""

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        self._open.append((name.rpartition("}")[2], []))

    def data(self, data: str) -> None:
        if words := " ".join(INVISIBLE.sub("", data).split()):
            self._open[-1][1].append(words)

    def end(self, _name: str) -> None:
        local, parts = self._open.pop()
        if local in OTHER_NOTATIONS:
            return
        parts = ["".join(parts)] if local == "msqrt" else parts
        written = shaped(ELEMENT_SHAPES.get(local, ""), parts)
        if self._open:
            self._open[-1][1].append(written)
        else:
            self.written = written if local == "math" else ""
