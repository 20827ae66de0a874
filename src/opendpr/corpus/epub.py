"""Electronic books, .epub: a zip file of XHTML pages and the order to read them in (EPUB 2 and 3)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import IO
from urllib.parse import unquote

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import BlockText, Extract, NotReadError, section_metadata, storable
from opendpr.corpus.hidden import STYLE_CHARACTERS
from opendpr.corpus.html import decode, extract
from opendpr.text.sections import SECTIONS_KEY, parse_sections

DC_TITLE = "http://purl.org/dc/elements/1.1/}title"
EMPTY_ELEMENT = re.compile(
    r"<(title|script|style|textarea|iframe|noscript|noembed|noframes|template)\b([^<>]*)/>", re.I
)
"""Ends at once in XHTML, but in HTML takes all that follows."""


class Package:
    """What the package document says: title, files by name, and which of them are read, in order."""

    def __init__(self) -> None:
        self.title = ""
        self.files: dict[str, str] = {}
        self.order: list[str] = []
        self._in_title = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition("}")[2]
        self._in_title = name == DC_TITLE and not self.title
        if local == "item" and "html" in attributes.get("media-type", ""):
            self.files[attributes.get("id", "")] = attributes.get("href", "")
        elif local == "itemref":
            self.order.append(attributes.get("idref", ""))

    def end(self, _name: str) -> None:
        self._in_title = False

    def data(self, data: str) -> None:
        if self._in_title:
            self.title += data


def parse_epub(file: IO[bytes]) -> Extract:
    """The title of the book and the text of its pages, in reading order, each page once."""
    archive = Archive(file)
    path = package_path(archive)
    package = Package()
    archive.parse(path, package.start, package.end, package.data)
    folder = posixpath.dirname(path)
    hrefs = [package.files[item_id] for item_id in dict.fromkeys(package.order) if item_id in package.files]
    names = list(
        dict.fromkeys(posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0]))) for href in hrefs)
    )
    if not names:
        raise NotReadError("damaged: the book names no pages")
    if encrypted(archive) & set(names):
        raise NotReadError("an encrypted book (DRM)")
    text, problems, linked = BlockText(), [], style_sheets(archive)
    for name in names:
        if name not in archive:
            problems.append((name, "is missing in the book"))
            continue
        page = EMPTY_ELEMENT.sub(r"<\1\2></\1>", decode(b"".join(archive.chunks(name))).text)
        if (content := extract(page, linked=linked)).text:
            text.separate("\n\n")
            text.add(content.text)
            text.take_sections(parse_sections(content.metadata.get(SECTIONS_KEY)), page=name)
    title, written = storable(" ".join(package.title.split())), storable(text.text())
    return Extract(title, written, section_metadata(text.sections, written), problems)


def style_sheets(archive: Archive) -> str:
    """The style sheets of a book, as far as they are read."""
    sheets = (b"".join(archive.chunks(name)) for name in archive.names() if name.lower().endswith(".css"))
    return "\n".join(sheet[:STYLE_CHARACTERS].decode("utf-8", "replace") for sheet in sheets)


def package_path(archive: Archive) -> str:
    """Where the package document is."""
    paths: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name.endswith("}rootfile"):
            paths.append(attributes.get("full-path", ""))

    archive.parse("META-INF/container.xml", start)
    if not paths:
        raise NotReadError("damaged: META-INF/container.xml names no package document")
    return paths[0]


def encrypted(archive: Archive) -> set[str]:
    """The members that are encrypted; those of honest books are fonts."""
    names: set[str] = set()

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name.endswith("}CipherReference"):
            names.add(unquote(attributes.get("URI", "")))

    if "META-INF/encryption.xml" in archive:
        archive.parse("META-INF/encryption.xml", start)
    return names
