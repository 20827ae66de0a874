"""How the paragraphs of a list are numbered in the documents of word processors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from opendpr.corpus.numerals import counted

LIST_LEVELS = 10
UNNUMBERED_STYLES = ("bullet", "none")


@dataclass(frozen=True, slots=True)
class Level:
    """How the paragraphs of one level of a list are numbered."""

    start: int = 1
    style: str = "decimal"
    text: str = ""
    """As `§ %1.%2`: a per cent sign and a digit are the number of that level."""
    decimal: bool = False
    """Whether the numbers of the levels above are written as decimals too, whatever their style."""
    restarts: bool = True
    """Whether it begins again after a paragraph of a level above."""


@dataclass(slots=True)
class Numbers:
    """A list: its levels, from 0, and how far each has counted."""

    levels: dict[int, Level] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)

    def number(self, level: int, restart: int | None = None) -> str:
        """Count one more paragraph; returns what is written before it, nothing for a bullet."""
        if not 0 <= level < LIST_LEVELS:
            return ""
        shape = self.levels.get(level, Level())
        self.counts[level] = self.counts.get(level, shape.start - 1) + 1 if restart is None else restart
        for deeper in [deeper for deeper in self.counts if deeper > level]:
            if self.levels.get(deeper, Level()).restarts:
                del self.counts[deeper]
        if shape.style in UNNUMBERED_STYLES:
            return ""

        def written(match: re.Match[str]) -> str:
            above = int(match[1]) - 1
            its = self.levels.get(above, Level())
            return counted(self.counts.get(above, its.start), "decimal" if shape.decimal else its.style)

        return re.sub(r"%([1-9])", written, shape.text).strip()
