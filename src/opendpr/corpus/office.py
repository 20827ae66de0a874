"""What the formats of office programs share: attributes, and the title in a document's properties."""

from __future__ import annotations

import re
from collections.abc import Mapping

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import storable

DC_TITLE = "http://purl.org/dc/elements/1.1/}title"
OFF_VALUES = ("0", "false", "off", "none")
"""How an attribute says no."""


def values(attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes by their names without namespace."""
    return {name.rpartition("}")[2]: value for name, value in attributes.items()}


def whole(value: str, default: int = 0) -> int:
    """The number of an attribute."""
    return int(value) if re.fullmatch(r"\d{1,9}", value, re.ASCII) else default


def core_title(archive: Archive, part: str = "docProps/core.xml") -> str:
    """The title in the properties of a document, possibly none."""
    pieces: list[str] = []
    inside: list[bool] = []
    if part in archive:
        archive.parse(
            part,
            lambda name, _attributes: inside.append(name == DC_TITLE),
            lambda _name: inside.clear(),
            lambda data: pieces.append(data) if inside[-1:] == [True] else None,
        )
    return storable(" ".join("".join(pieces).split()))
