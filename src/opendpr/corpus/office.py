"""What the formats of office programs share: attributes, how parts refer to each other, the title in the properties."""

from __future__ import annotations

import posixpath
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


def main_part(archive: Archive, usual: str) -> str:
    """The name of the member that the others belong to; the usual one if the archive does not say."""
    return next(iter(relations(archive, "", "officeDocument").values()), usual)


def relations(archive: Archive, part: str, kind: str = "") -> dict[str, str]:
    """The parts that a part refers to, by the ids it uses.

    Args:
        part: empty for the whole archive
        kind: how the types of the relations end that are wanted
    """
    folder, name = posixpath.split(part)
    parts: dict[str, str] = {}

    def start(_name: str, attributes: Mapping[str, str]) -> None:
        target = attributes.get("Target", "")
        if target and attributes.get("TargetMode") != "External" and attributes.get("Type", "").endswith(kind):
            parts[attributes.get("Id", "")] = posixpath.normpath(posixpath.join(folder, target)).lstrip("/")

    if (path := posixpath.join(folder, "_rels", f"{name}.rels")) in archive:
        archive.parse(path, start)
    return parts
