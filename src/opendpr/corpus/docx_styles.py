"""What a Word document says of its styles (ECMA-376, part 17.7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from opendpr.corpus.office import OFF_VALUES, values, whole

WORD_NAMESPACE = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "http://purl.oclc.org/ooxml/wordprocessingml/main}",
)
BODY_TEXT = 9
"""The outline level of what is no heading; those of headings are 0 to 8."""
HEADING_STYLE = re.compile(r"heading ?([1-9])", re.I)
"""The names of Word's own styles, which a document need not define."""
BASED_ON = 20
"""Styles that are followed from one to the one it is based on."""
HIDING_PROPERTIES = ("vanish", "specVanish", "strike", "dstrike")
"""What hides text, or says that it no longer holds."""


@dataclass(slots=True)
class Style:
    """How text of a style is shown; None where the style that it is based on decides."""

    based_on: str = ""
    hidden: bool | None = None
    script: str | None = None
    """`superscript`, `subscript` or `baseline`."""
    list: str | None = None
    level: int | None = None
    outline: int | None = None
    """0 for headings of the first level; 9 is text."""


class Styles:
    """Reads `styles.xml`."""

    def __init__(self) -> None:
        self._styles: dict[str, Style] = {}
        self._style = Style()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, attributes = name.rpartition("}")[2], values(attributes)
        value = attributes.get("val", "")
        if local == "style":
            self._style = self._styles.setdefault(attributes.get("styleId", ""), Style())
        elif local == "basedOn":
            self._style.based_on = value
        elif local in HIDING_PROPERTIES:
            self._style.hidden = bool(self._style.hidden) or value not in OFF_VALUES
        elif local == "vertAlign":
            self._style.script = value
        elif local == "outlineLvl":
            self._style.outline = whole(value, BODY_TEXT)
        elif local == "numId":
            self._style.list = value
        elif local == "ilvl":
            self._style.level = whole(value)

    def is_hidden(self, style: str) -> bool:
        """Whether the text of a style is hidden."""
        return next((ancestor.hidden for ancestor in self._chain(style) if ancestor.hidden is not None), False)

    def script(self, style: str) -> str:
        """`superscript`, `subscript`, or what else the text of a style is."""
        return next((ancestor.script for ancestor in self._chain(style) if ancestor.script is not None), "")

    def heading_level(self, style: str) -> int:
        """The level of a heading of that style, from 1; 0 if its paragraphs are text."""
        named = HEADING_STYLE.fullmatch(style)
        usual = int(named[1]) - 1 if named else BODY_TEXT
        outline = next((ancestor.outline for ancestor in self._chain(style) if ancestor.outline is not None), usual)
        return outline + 1 if outline < BODY_TEXT else 0

    def list_of(self, style: str) -> tuple[str, int]:
        """The list and the level of paragraphs of a style; an empty name if they have no number."""
        chain = self._chain(style)
        name = next((ancestor.list for ancestor in chain if ancestor.list is not None), "")
        return name, next((ancestor.level for ancestor in chain if ancestor.level is not None), 0)

    def _chain(self, style: str) -> list[Style]:
        """A style and those it is based on."""
        chain: list[Style] = []
        while style in self._styles and len(chain) < BASED_ON:
            chain.append(self._styles[style])
            style = chain[-1].based_on
        return chain
