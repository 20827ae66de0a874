"""What an OpenDocument file says of its styles and of its lists (ISO/IEC 26300-3, parts 16.28 and 17.20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from opendpr.corpus.numbering import Level, Numbers
from opendpr.corpus.office import OFF_VALUES, values, whole

NUMBER_FORMATS = {
    "1": "decimal",
    "a": "lowerLetter",
    "A": "upperLetter",
    "i": "lowerRoman",
    "I": "upperRoman",
    "": "none",
}
LEVEL_ELEMENTS = ("list-level-style-number", "list-level-style-bullet", "list-level-style-image", "outline-level-style")
OUTLINE = ""
"""The name under which the numbers of headings are known."""
PARENTS = 20
"""Styles that are followed from one to the one it takes the rest from."""


@dataclass(slots=True)
class TextStyle:
    """What the text of a style is shown as; None if its parent says it."""

    parent: str = ""
    hidden: bool | None = None
    struck: bool | None = None
    script: str | None = None
    """`super`, `sub` or neither."""
    list: str | None = None


class TextStyles:
    """Reads the styles that a document names, and those that it gives its own places."""

    def __init__(self) -> None:
        self._styles: dict[tuple[str, str], TextStyle] = {}
        self._style = TextStyle()
        self._lists: dict[str, Numbers] = {}
        self._levels: dict[int, Level] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, attributes = name.rpartition("}")[2], values(attributes)
        if local == "style":
            self._style = TextStyle(attributes.get("parent-style-name", ""), list=attributes.get("list-style-name"))
            self._styles[attributes.get("family", ""), attributes.get("name", "")] = self._style
        elif local in ("list-style", "outline-style"):
            key = attributes.get("name", "") if local == "list-style" else OUTLINE
            self._levels = self._lists.setdefault(key, Numbers()).levels
        elif local in LEVEL_ELEMENTS:
            number = whole(attributes.get("level", "1"), 1) - 1
            self._levels[number] = _level(local, number, attributes, self._levels)
        elif local.endswith("-properties"):
            self._property(attributes)

    def _property(self, attributes: Mapping[str, str]) -> None:
        """Take the properties of a style."""
        if "display" in attributes or "visibility" in attributes:
            shown = attributes.get("display") not in OFF_VALUES and attributes.get("visibility") != "hidden"
            self._style.hidden = not shown
        if "text-line-through-style" in attributes or "text-line-through-type" in attributes:
            kinds = (attributes.get("text-line-through-style"), attributes.get("text-line-through-type"))
            self._style.struck = "none" not in kinds
        if position := attributes.get("text-position", ""):
            raised = position.split()[0]
            script = "super" if raised.rstrip("%").replace(".", "").isdigit() and raised[0] != "0" else raised
            self._style.script = "sub" if raised.startswith("-") else script

    def is_hidden(self, family: str, style: str) -> bool:
        """Whether nothing is seen of a style, or what it shows no longer holds."""
        chain = self._chain(family, style)
        hidden = next((ancestor.hidden for ancestor in chain if ancestor.hidden is not None), False)
        return hidden or next((ancestor.struck for ancestor in chain if ancestor.struck is not None), False)

    def script(self, style: str) -> str:
        """`super`, `sub`, or what else the text of a style is."""
        return next((ancestor.script for ancestor in self._chain("text", style) if ancestor.script is not None), "")

    def has_no_number(self, style: str) -> bool:
        """Whether a paragraph style takes the number from headings of that style."""
        return (
            next((ancestor.list for ancestor in self._chain("paragraph", style) if ancestor.list is not None), None)
            == ""
        )

    def numbers(self, name: str) -> Numbers:
        """The list of a name, or of the headings; one that is not known has no numbers."""
        return self._lists.setdefault(name, Numbers())

    def _chain(self, family: str, style: str) -> list[TextStyle]:
        """A style and those it takes the rest from."""
        chain: list[TextStyle] = []
        while (family, style) in self._styles and len(chain) < PARENTS:
            chain.append(self._styles[family, style])
            style = chain[-1].parent
        return chain


def _level(local: str, number: int, attributes: Mapping[str, str], above: Mapping[int, Level]) -> Level:
    """One level of a list, which may be written after the numbers of those above it."""
    style = NUMBER_FORMATS.get(attributes.get("num-format", ""), "decimal")
    if local in ("list-level-style-bullet", "list-level-style-image"):
        return Level(style="bullet")
    first = number + 1 - whole(attributes.get("display-levels", "1"), 1)
    shown = [place for place in range(max(0, first), number) if above.get(place, Level()).style != "none"]
    numbers = ".".join(f"%{place + 1}" for place in (*shown, number))
    shape = Level(style=style, text=f"{attributes.get('num-prefix', '')}{numbers}{attributes.get('num-suffix', '')}")
    return replace(shape, start=whole(attributes.get("start-value", "1"), 1))
