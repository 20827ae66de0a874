"""What a Word document says of the numbers of its paragraphs, and how far each list has counted (ECMA-376, 17.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from opendpr.corpus.docx_styles import Styles
from opendpr.corpus.numbering import Level, Numbers
from opendpr.corpus.office import OFF_VALUES, values, whole


class Numbering:
    """Reads `numbering.xml`, and counts.

    Attributes:
        styles: of the same document
    """

    def __init__(self, styles: Styles) -> None:
        self.styles = styles
        self._abstract: dict[str, Numbers] = {}
        self._lists: dict[str, str] = {}
        """The abstract list of each list that paragraphs name."""
        self._links: dict[str, str] = {}
        """The style that an abstract list takes its levels from."""
        self._own: dict[str, dict[int, Level]] = {}
        """Levels of a list that differ from those of its abstract list."""
        self._restarts: dict[tuple[str, int], int] = {}
        self._name, self._list, self._level = "", "", 0
        self._levels: dict[int, Level] = {}
        self._in_level = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, attributes = name.rpartition("}")[2], values(attributes)
        value = attributes.get("val", "")
        if local == "abstractNum":
            self._name, self._list = attributes.get("abstractNumId", ""), ""
            self._levels = self._abstract.setdefault(self._name, Numbers()).levels
        elif local == "num":
            self._list = attributes.get("numId", "")
            self._levels = self._own.setdefault(self._list, {})
        elif local == "abstractNumId":
            self._lists[self._list] = value
        elif local == "numStyleLink":
            self._links[self._name] = value
        elif local in ("lvl", "lvlOverride"):
            self._level, self._in_level = whole(attributes.get("ilvl", "")), local == "lvl"
        elif local == "startOverride":
            self._restarts[self._list, self._level] = whole(value, 1)
        elif self._in_level:
            self._levels[self._level] = _with_property(self._levels.get(self._level, Level()), local, value)

    def end(self, name: str) -> None:
        if name.endswith("}lvl"):
            self._in_level = False

    def number(self, name: str, level: int) -> str:
        """Count one more paragraph of a list; returns what Word writes before it, nothing for a bullet."""
        abstract = self._lists.get(name, "")
        if style := self._links.get(abstract):
            abstract = self._lists.get(self.styles.list_of(style)[0], abstract)
        if abstract not in self._abstract:
            return ""
        numbers = self._abstract[abstract]
        own = Numbers({**numbers.levels, **self._own.get(name, {})}, numbers.counts)
        return own.number(level, self._restarts.pop((name, level), None))


def _with_property(level: Level, local: str, value: str) -> Level:
    """A level with what one of its elements says."""
    if local == "start":
        return replace(level, start=whole(value, 1))
    if local == "numFmt":
        return replace(level, style=value)
    if local == "vanish" and value not in OFF_VALUES:
        return replace(level, style="none")
    if local == "lvlText":
        return replace(level, text=value)
    if local == "isLgl":
        return replace(level, decimal=value not in OFF_VALUES)
    return replace(level, restarts=value != "0") if local == "lvlRestart" else level
