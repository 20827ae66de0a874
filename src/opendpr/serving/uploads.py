"""Files that were uploaded, read as `opendpr add` reads them, within limits for files that may be meant to harm.

Their names lose folders and what does not print. Parsers run in a process of their own, which is ended when it takes
too long or too much memory (`corpus.sandbox`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from opendpr.corpus import Corpus, Skipped
from opendpr.corpus.jsonlines import read_json_array, read_json_lines
from opendpr.corpus.kinds import find_by_content, find_reader
from opendpr.corpus.source import Reader
from opendpr.corpus.table import read_csv, read_tsv
from opendpr.serving.records import SkippedRecord
from opendpr.storage.compression import COMPRESSED
from opendpr.storage.temporary import TemporaryFolder
from opendpr.types import Document

UPLOAD_PREFIX = "opendpr-upload-"
"""What names of directories with uploaded files begin with."""
NAME_BYTES = 200
"""Longest name of a file; file systems take 255."""
SHOWN_NAME_CHARACTERS = 60
UPLOADED_RECORDS = 100_000
"""Most records in one table or file of JSON."""
UPLOADED_CHARACTERS = 20_000_000
"""Most text of one upload: a small file can unpack to very much."""
TOO_MUCH_TEXT = f"more than {UPLOADED_CHARACTERS // 1_000_000} million characters in one upload"
METADATA_OF_PLACE = frozenset(("path", "modified"))
"""What the readers note of a file on disk; an uploaded one lies there only until it is read."""
CHUNK_BYTES = 1 << 20
NAMED_SKIPS = 100
"""Skipped places that are named one by one; further ones are only counted."""
RECORD_BORDERS: Mapping[Reader, Mapping[bytes, int]] = {
    read_json_lines: {b"\n": 1},
    read_json_array: {b"{": 1, b",": 20},
    read_csv: {b"\n": 1, b"\r": 1},
    read_tsv: {b"\n": 1, b"\r": 1},
}
"""For each reader of records, characters that end or begin one, and how many of them a record may have."""


class Upload:
    """Files in a temporary directory, until `close`; the next start of a service clears it away after a kill.

    Args:
        files: name and content of each
    """

    def __init__(self, files: Iterable[tuple[str, IO[bytes]]]) -> None:
        self._directory = TemporaryFolder(UPLOAD_PREFIX)
        self.skipped: list[SkippedRecord] = []
        self.files = 0
        self._paths: list[Path] = []
        try:
            for name, content in files:
                self.files += 1
                self._keep(name, content)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take the files away."""
        self._directory.close()

    def documents(self, on_file: Callable[[int], None] = lambda files: None) -> Iterator[Document]:
        """The documents of the files; `skipped` then says what became none.

        Args:
            on_file: called with the number of files read so far
        """
        places = {str(path): place for place, path in enumerate(self._paths)}
        skips: list[Skipped] = []
        characters = 0
        on_file(0)
        for event in Corpus(self._paths).events():
            if isinstance(event, Skipped):
                skips.append(event)
            if not isinstance(event, Document):
                continue
            on_file(places.get(str(event.metadata.get("path")), 0))
            if characters + len(event.text) > UPLOADED_CHARACTERS:
                self._skip(event.id, TOO_MUCH_TEXT)
                continue
            characters += len(event.text)
            metadata = {key: value for key, value in event.metadata.items() if key not in METADATA_OF_PLACE}
            yield replace(event, metadata=metadata)
        on_file(self.files)
        for skip in skips[:NAMED_SKIPS]:
            self._skip(self._without_directory(skip.place), self._without_directory(skip.reason))
        if more := skips[NAMED_SKIPS:]:
            self._skip("further places", f"{len(more):,} more are not named")

    def _keep(self, given_name: str, content: IO[bytes]) -> None:
        """Store a file, unless it cannot be read anyway."""
        name = safe_name(given_name)
        path = self._directory.path / str(len(self._paths)) / name
        if not name:
            self._skip(given_name[:SHOWN_NAME_CHARACTERS], "this is not a name of a file")
        elif len(name.encode()) > NAME_BYTES:
            self._skip(f"{name[:SHOWN_NAME_CHARACTERS]}…", f"the name is longer than {NAME_BYTES} bytes; shorten it")
        elif name in (other.name for other in self._paths):
            self._skip(name, "another file of this upload has the same name")
        elif path.suffix.lower() in COMPRESSED:
            self._skip(name, "compressed files are not taken; unpack it first")
        else:
            path.parent.mkdir()
            with path.open("wb") as file:
                shutil.copyfileobj(content, file, CHUNK_BYTES)
            if problem := _too_many_records(path):
                self._skip(name, problem)
            else:
                self._paths.append(path)
                return
            shutil.rmtree(path.parent)

    def _skip(self, place: str, reason: str) -> None:
        self.skipped.append(SkippedRecord(place, reason))

    def _without_directory(self, text: str) -> str:
        """A text that names files by their path, with their own names."""
        return re.sub(re.escape(str(self._directory.path)) + r"/\d+/", "", text)


def safe_name(name: str) -> str:
    r"""The name of an uploaded file without folders and without what does not print; empty if nothing is left.

    >>> safe_name("../../etc/passwd"), safe_name("C:\\notes\\a\x00b.txt"), safe_name("..")
    ('passwd', 'ab.txt', '')
    """
    last = re.split(r"[/\\]", name)[-1]
    return "".join(character for character in last if character.isprintable()).strip().lstrip(".")


def _too_many_records(path: Path) -> str:
    """Why a file of records is not taken; empty if it is, or is of another kind."""
    reader = find_reader(path) or find_by_content(path)
    borders = RECORD_BORDERS.get(reader, {}) if callable(reader) else {}
    counts = dict.fromkeys(borders, 0)
    with path.open("rb") as file:
        while borders and (chunk := file.read(CHUNK_BYTES)):
            for border in borders:
                counts[border] += chunk.count(border)
    if all(count <= UPLOADED_RECORDS * borders[border] for border, count in counts.items()):
        return ""
    return f"it has more than {UPLOADED_RECORDS:,} records; 'opendpr add' takes any number"
