"""What a Word document says of its styles and of the numbers of its paragraphs (ECMA-376, parts 17.7 and 17.9)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from opendpr.corpus.numerals import counted
from opendpr.corpus.office import OFF_VALUES, values, whole

WORD_NAMESPACE = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "http://purl.oclc.org/ooxml/wordprocessingml/main}",
)
LEVELS = BODY_TEXT = 9
"""Of lists and of headings; the outline level of what is no heading is one more than theirs, counted from 0."""
HEADING_STYLE = re.compile(r"heading ?([1-9])", re.I)
"""The names of Word's own styles, which a document need not define."""
BASED_ON = 20
"""Styles that are followed from one to the one it is based on."""


@dataclass(frozen=True, slots=True)
class Level:
    """How the paragraphs of one level of a list are numbered."""

    start: int = 1
    style: str = "decimal"
    text: str = ""
    """As `§ %1.%2`: a per cent sign and a digit are the number of that level."""


@dataclass(slots=True)
class Style:
    """What the text of a style is shown as; None if the style that it is based on says it."""

    based_on: str = ""
    hidden: bool | None = None
    list: str | None = None
    level: int | None = None
    outline: int | None = None
    """0 for headings of the first level; 9 is text."""


@dataclass(slots=True)
class Numbers:
    """A list: its levels, and how far each has counted."""

    levels: dict[int, Level] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)


class Styles:
    """Reads `styles.xml` and `numbering.xml`, and counts."""

    def __init__(self) -> None:
        self._styles: dict[str, Style] = {}
        self._abstract: dict[str, Numbers] = {}
        self._lists: dict[str, str] = {}
        """The abstract list of each list that paragraphs name."""
        self._restarts: dict[tuple[str, int], int] = {}
        self._style = Style()
        self._numbers, self._list, self._level = Numbers(), "", 0
        self._inside: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, given = name.rpartition("}")[2], values(attributes)
        value = given.get("val", "")
        self._inside.append(local)
        if local == "style":
            self._style = self._styles.setdefault(given.get("styleId", ""), Style())
        elif local == "basedOn":
            self._style.based_on = value
        elif local == "vanish":
            self._style.hidden = value not in OFF_VALUES
        elif local == "outlineLvl":
            self._style.outline = whole(value, BODY_TEXT)
        elif local == "numId":
            self._style.list = value
        elif local == "abstractNum":
            self._numbers, self._list = self._abstract.setdefault(given.get("abstractNumId", ""), Numbers()), ""
        elif local == "num":
            self._list = given.get("numId", "")
        elif local == "abstractNumId":
            self._lists[self._list] = value
        elif local in ("lvl", "lvlOverride", "ilvl"):
            self._level = self._style.level = whole(given.get("ilvl", value))
        else:
            self._level_property(local, value)

    def _level_property(self, local: str, value: str) -> None:
        """What an element says of the level of a list that it is in."""
        if local == "startOverride":
            self._restarts[self._list, self._level] = whole(value, 1)
        if self._list or "lvl" not in self._inside:
            return  # a list that has levels of its own is numbered like the one it comes from
        level = self._numbers.levels.get(self._level, Level())
        if local == "start":
            level = replace(level, start=whole(value, 1))
        elif local == "numFmt":
            level = replace(level, style=value)
        elif local == "lvlText":
            level = replace(level, text=value)
        self._numbers.levels[self._level] = level

    def end(self, _name: str) -> None:
        self._inside.pop()

    def is_hidden(self, style: str) -> bool:
        """Whether the text of a style is hidden."""
        return next((known.hidden for known in self._chain(style) if known.hidden is not None), False)

    def heading_level(self, style: str) -> int:
        """The level of a heading of that style, from 1; 0 if its paragraphs are text."""
        named = HEADING_STYLE.fullmatch(style)
        usual = int(named[1]) - 1 if named else BODY_TEXT
        outline = next((known.outline for known in self._chain(style) if known.outline is not None), usual)
        return outline + 1 if outline < BODY_TEXT else 0

    def list_of(self, style: str) -> tuple[str, int]:
        """The list and the level of paragraphs of a style; an empty name if they have no number."""
        chain = self._chain(style)
        name = next((known.list for known in chain if known.list is not None), "")
        return name, next((known.level for known in chain if known.level is not None), 0)

    def _chain(self, style: str) -> list[Style]:
        """A style and those it is based on."""
        chain: list[Style] = []
        while style in self._styles and len(chain) < BASED_ON:
            chain.append(self._styles[style])
            style = chain[-1].based_on
        return chain

    def number(self, name: str, level: int) -> str:
        """Count one more paragraph of a list; returns what Word writes before it, nothing for a bullet."""
        numbers = self._abstract.get(self._lists.get(name, ""))
        if numbers is None or not 0 <= level < LEVELS:
            return ""
        restart = self._restarts.pop((name, level), None)
        start = numbers.levels.get(level, Level()).start
        numbers.counts[level] = numbers.counts.get(level, start - 1) + 1 if restart is None else restart
        for deeper in [deeper for deeper in numbers.counts if deeper > level]:
            del numbers.counts[deeper]
        shape = numbers.levels.get(level, Level())
        if shape.style in ("bullet", "none"):
            return ""

        def written(match: re.Match[str]) -> str:
            above = int(match[1]) - 1
            its = numbers.levels.get(above, Level())
            return counted(numbers.counts.get(above, its.start), its.style)

        return re.sub(r"%([1-9])", written, shape.text).strip()
