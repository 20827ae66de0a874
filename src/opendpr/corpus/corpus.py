"""Files found, read and checked: what `opendpr.corpus` gives its users."""

from __future__ import annotations

import codecs
import io
import itertools
import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

from opendpr.corpus.jsonlines import json_documents
from opendpr.corpus.kinds import find_reader, suffixes
from opendpr.corpus.places import Places
from opendpr.corpus.sandbox import Sandbox
from opendpr.corpus.source import TEXT_BYTES, Reader, Reading, Skipped, Source
from opendpr.corpus.text import begins_as_text, read_text
from opendpr.corpus.wikiextractor import cleaned, is_wikiextractor
from opendpr.errors import InputError
from opendpr.storage.compression import READ_ERRORS, open_binary, reason, uncompressed_name
from opendpr.storage.lines import limited_lines
from opendpr.types import EMPTY, Document

STANDARD_INPUT: Literal["-"] = "-"
ID_CHARACTERS = 1_000
"""Longest id of a document."""
METADATA_LEVELS = 100
"""Most objects and arrays inside one another in metadata; SQLite, which filters look into them with, takes 1,000."""
DIRECTORY_LINK = "directory link"
"""What `Corpus.ignored` calls a symbolic link to a directory, which is not followed."""
CLEANED_OUT = "Wikipedia page that is mostly links"
"""What `Corpus.ignored` calls a page that DrQA's clean-up drops."""


class Corpus:
    """The documents of `paths`, in order: files, directories with all below them, `"-"` for standard input.

    Iterate to read. `skipped` and `ignored` fill up meanwhile and start afresh with every iteration.

    Attributes:
        skipped: what should have become a document and did not.
        ignored: how many files in directories are of no known kind, by suffix (`.png.gz`, empty without one). One
            without a suffix that begins as text is read as such. Symbolic links to directories are counted as
            `DIRECTORY_LINK`, pages that the clean-up drops as `CLEANED_OUT`. Hidden files are not counted.
    """

    def __init__(
        self,
        paths: Sequence[Path | Document | Literal["-"]],
        *,
        metadata: Mapping[str, object] = EMPTY,
        wikiextractor_clean: bool = False,
    ) -> None:
        """Remember `paths`; nothing is read before the iteration.

        Args:
            metadata: given to every document; where a document has a value of the same name, this one counts.
            wikiextractor_clean: clean up what WikiExtractor wrote as DrQA does (`wikiextractor.py`).

        Raises:
            InputError: some of the paths do not exist; the message names them all.
        """
        missing = []
        for path in paths:
            try:
                if isinstance(path, Path):
                    path.stat()
            except (OSError, ValueError) as error:
                missing.append(f"{printable(str(path))} ({reason(error)})")
        if missing:
            raise InputError(f"nothing was read, because of paths that cannot be found: {', '.join(missing)}")
        self.paths = tuple(paths)
        self.metadata = dict(metadata)
        self.wikiextractor_clean = wikiextractor_clean
        self.skipped: list[Skipped] = []
        self.ignored: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Document]:
        """Yield each document that can be stored, an id only once."""
        self.skipped.clear()
        self.ignored.clear()
        with closing(Sandbox()) as sandbox, closing(Places()) as places:
            for path in self.paths:
                for place, found in self._readings(path, sandbox):
                    document = self._finished(found) if isinstance(found, Document) else None
                    problem = found if isinstance(found, str) else document and objection(document)
                    if isinstance(problem, str):
                        self.skipped.append(Skipped(place, problem))
                    elif document is None:
                        self.ignored[CLEANED_OUT] += 1
                    elif (earlier := places.claim(document.id, place)) is not None:
                        self.skipped.append(Skipped(place, _taken(document.id, earlier)))
                    else:
                        yield document

    def _finished(self, document: Document) -> Document | None:
        """The document as the options want it, or None if they leave it out."""
        if self.wikiextractor_clean and is_wikiextractor(document):
            kept = cleaned(document)
            if kept is None:
                return None
            document = kept
        return replace(document, metadata={**document.metadata, **self.metadata}) if self.metadata else document

    def _readings(self, path: Path | Document | Literal["-"], sandbox: Sandbox) -> Iterator[Reading]:
        """What is found at a path that was given; a document is given as it is."""
        if isinstance(path, Document):
            return iter([(f"document {path.id!r}", path)])
        if not isinstance(path, Path):
            return read_standard_input(sys.stdin.buffer)
        if path.is_dir():
            return self._directory(path, sandbox)
        return self._file(path, path.name, find_reader(path) or read_text, sandbox)

    def _directory(self, directory: Path, sandbox: Sandbox) -> Iterator[Reading]:
        """What is found below a directory, sorted by the names relative to it."""
        pending = [""]  # relative POSIX paths, the next one last; those of directories end in a slash
        while pending:
            name = pending.pop()
            path = directory / name
            if name == "" or name.endswith("/"):
                try:
                    pending.extend(sorted(children(path, name), reverse=True))
                except OSError as error:
                    yield printable(path), f"cannot be listed: {reason(error)}"
            elif os.path.islink(path) and os.path.isdir(path):
                self.ignored[DIRECTORY_LINK] += 1
            else:
                yield from self._file(path, name, find_reader(path), sandbox)

    def _file(self, path: Path, id: str, reader: Reader | str | None, sandbox: Sandbox) -> Iterator[Reading]:
        """What is found in a file; without a reader it is only counted, unless it is text without a suffix."""
        place = printable(path)
        try:
            status = path.stat()
            metadata = {"path": os.path.abspath(path), **_modified(status.st_mtime)}
            source = Source(place, id, uncompressed_name(path).stem, metadata)
            if not stat.S_ISREG(status.st_mode):
                yield place, "not a file but a named pipe, socket or device; pipe it to standard input, '-'"
            elif reader is None and not _is_text(path):
                self.ignored["".join(suffixes(path))] += 1
            else:
                read = reader or read_text
                with open_binary(path) as file:
                    found = sandbox.read(read, path, source) if isinstance(read, str) else read(file, source)
                    for where, reading in found:
                        yield where, _of_file(reading, source)
        except READ_ERRORS as error:
            yield place, f"cannot be read: {reason(error)}"


def _is_text(path: Path) -> bool:
    """Whether a file has no suffix, and begins as text: README, LICENSE, NEWS.gz."""
    if suffixes(path)[0]:
        return False
    with open_binary(path) as file:
        return begins_as_text(file)


def _taken(id: str, earlier: str) -> str:
    return (
        f'id "{id}" was already given by {earlier}; an id is there once: give files of the same name with the folder '
        "above both, records ids of their own"
    )


def _modified(seconds: float) -> dict[str, str]:
    """When a file was changed, in UTC; nothing for a time that no calendar has, which damaged disks and tools leave."""
    try:
        return {"modified": datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")}
    except (ValueError, OverflowError, OSError):
        return {}


def _of_file(reading: Document | str, source: Source) -> Document | str:
    """A record of a file of records keeps its own metadata, and learns where it came from."""
    if isinstance(reading, str) or "path" in reading.metadata:
        return reading
    return replace(reading, metadata={**reading.metadata, "path": source.metadata["path"]})


def children(directory: Path, prefix: str) -> list[str]:
    """The names in a directory that are not hidden, after `prefix`; those of directories end in a slash."""
    with os.scandir(directory) as entries:
        return [
            f"{prefix}{entry.name}/" if entry.is_dir(follow_symlinks=False) else prefix + entry.name
            for entry in entries
            if not entry.name.startswith(".")
        ]


def printable(path: Path | str) -> str:
    """The path, with bytes that are not UTF-8 written as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def objection(document: Document) -> str | None:
    """Why a document cannot be stored, if so."""
    if not document.id:
        return "the id is empty"
    if len(document.id) > ID_CHARACTERS:
        return f"the id has {len(document.id):,} characters; at most {ID_CHARACTERS:,} are allowed"
    if not document.text or document.text.isspace():
        return "no text"
    for name, value in (("id", document.id), ("title", document.title), ("text", document.text)):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            return f"the {name} is not valid Unicode: half a surrogate pair at character {error.start}"
    if is_deeper(document.metadata, METADATA_LEVELS):
        return f"the metadata is nested too deeply, more than {METADATA_LEVELS} levels"
    try:
        json.dumps(dict(document.metadata), ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        return "the metadata is not valid Unicode: it has half a surrogate pair"
    except TypeError as error:  # of a document that a program gives
        return f"the metadata cannot be written as JSON: {error}"
    except ValueError:
        return "the metadata has a number that JSON does not know: NaN or Infinity; null says that there is none"
    return None


def is_deeper(value: object, levels: int) -> bool:
    """Whether more than so many objects and arrays lie inside one another in a value."""
    if not isinstance(value, Mapping | list | tuple):
        return False
    inner = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(is_deeper(one, levels - 1) for one in inner)


def read_standard_input(file: IO[bytes]) -> Iterator[Reading]:
    """Read JSON lines if the first character that is not space is `{`, else one document of plain text."""
    start: list[bytes] = []
    try:
        for line in (lines := limited_lines(file, TEXT_BYTES)):
            start.append(line)
            if line.removeprefix(codecs.BOM_UTF8).strip():
                break
        if start and start[-1].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            yield from json_documents(itertools.chain(start, lines), "stdin")
        else:
            yield from read_text(
                io.BytesIO(b"".join((*start, file.read(TEXT_BYTES + 1)))), Source("stdin", "stdin", "stdin", EMPTY)
            )
    except READ_ERRORS as error:
        yield "stdin", f"cannot be read: {reason(error)}"
