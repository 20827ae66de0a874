"""Zip files of XML, which .docx and .epub are, read with a limit to what they unpack to."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO
from xml.parsers import expat

from opendpr.corpus.extract import NotReadError, check_unpacked

CHUNK_BYTES = 65_536
OLD_FORMAT = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Begins files of the old formats of Office, and the encrypted ones of today."""
OLD_FORMAT_REASON = "encrypted, or of an old format of Office whatever its name says; save a copy without a password"
ENCRYPTED_BIT = 1
"""Of the flags of a member of a zip file."""

Start = Callable[[str, Mapping[str, str]], None]
"""Called with the name of an element, as `namespace}name`, and its attributes."""
End = Callable[[str], None]


class Archive:
    """The members of a zip file."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except zipfile.BadZipFile as error:
            file.seek(0)
            if file.read(len(OLD_FORMAT)) == OLD_FORMAT:
                raise NotReadError(OLD_FORMAT_REASON) from None
            raise NotReadError(f"damaged, or of another kind than its name says: {error}") from None
        self._names = {plain_name(name): name for name in self._zip.namelist()}
        self._names |= {name: name for name in self._zip.namelist()}
        self._bytes = 0

    def __contains__(self, name: str) -> bool:
        return name in self._names or plain_name(name) in self._names

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member, in pieces."""
        if name not in self:
            raise NotReadError(f"damaged, or of another kind than its name says: it has no {name[:100]}")
        member_name = self._names.get(name) or self._names[plain_name(name)]
        if self._zip.getinfo(member_name).flag_bits & ENCRYPTED_BIT:
            raise NotReadError("encrypted; save a copy without a password")
        with self._zip.open(member_name) as member:
            while chunk := member.read(CHUNK_BYTES):
                self._bytes += len(chunk)
                check_unpacked(self._bytes)
                yield chunk

    def names(self) -> list[str]:
        """The names of all members."""
        return sorted(set(self._names.values()))

    def parse(self, name: str, start: Start, end: End | None = None, text: End | None = None) -> None:
        """Read a member as XML, without making a tree of it.

        Raises:
            NotReadError: it is not XML, or declares entities.
        """
        parse_xml(name[:100], self.chunks(name), start, end=end, text=text)


def plain_name(name: str) -> str:
    """The name of a member as all programs mean it: some write it with backslashes, or in other capitals."""
    return name.replace("\\", "/").lower()


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
