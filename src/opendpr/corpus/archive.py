"""Zip files of XML, which .docx and .epub are, read with a limit to what they unpack to."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO
from xml.parsers import expat

from opendpr.corpus.extract import NotReadError, check_unpacked

CHUNK_BYTES = 65_536

Start = Callable[[str, Mapping[str, str]], None]
"""Called with the name of an element, as `namespace}name`, and its attributes."""
End = Callable[[str], None]


class Archive:
    """The members of a zip file."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except zipfile.BadZipFile as error:
            raise NotReadError(f"damaged, or of another kind than its name says: {error}") from None
        self._names = set(self._zip.namelist())
        self._bytes = 0

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member, in pieces."""
        if name not in self:
            raise NotReadError(f"damaged, or of another kind than its name says: it has no {name[:100]}")
        with self._zip.open(name) as member:
            while chunk := member.read(CHUNK_BYTES):
                self._bytes += len(chunk)
                check_unpacked(self._bytes)
                yield chunk

    def names(self) -> list[str]:
        """The names of all members."""
        return sorted(self._names)

    def parse(self, name: str, start: Start, end: End | None = None, text: End | None = None) -> None:
        """Read a member as XML, without making a tree of it.

        Raises:
            NotReadError: it is not XML, or declares entities.
        """
        parse_xml(name[:100], self.chunks(name), start, end=end, text=text)


def parse_xml(
    name: str, chunks: Iterable[bytes], start: Start, *, end: End | None = None, text: End | None = None
) -> None:
    """Read XML piece by piece.

    Raises:
        NotReadError: it is not XML, or declares entities, which these formats do without and bombs are made of.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refuse_entity
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise NotReadError(f"{name} is not valid XML: {error}") from None


def refuse_entity(*_declaration: object) -> None:
    raise NotReadError("it declares XML entities, which are not expanded")
