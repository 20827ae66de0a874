"""Files found, read and checked: what `opendpr.corpus` gives its users."""

from __future__ import annotations

import codecs
import io
import itertools
import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

from opendpr.corpus.first_places import FirstPlaces
from opendpr.corpus.jsonlines import json_documents
from opendpr.corpus.kinds import REFUSED, find_by_content, find_reader, suffixes
from opendpr.corpus.known import KnownFile, known_file, reading_digest
from opendpr.corpus.objections import objection
from opendpr.corpus.pages import without_repeated_lines
from opendpr.corpus.sandbox import Sandbox
from opendpr.corpus.source import TEXT_BYTES, Reader, Reading, Skipped, Source, Unchanged
from opendpr.corpus.text import read_text
from opendpr.corpus.walk import Walk
from opendpr.corpus.wikiextractor import cleaned, is_wikiextractor
from opendpr.errors import InputError
from opendpr.storage.compression import READ_ERRORS, open_binary, reason, uncompressed_name
from opendpr.storage.lines import limited_lines
from opendpr.types import NO_METADATA, Document

STANDARD_INPUT: Literal["-"] = "-"
GIVEN_TWICE = "file given twice"
"""What `Corpus.ignored` calls a file that was found before, by another of the paths."""
CLEANED_OUT = "Wikipedia page that is mostly links"
"""What `Corpus.ignored` calls a page that DrQA's clean-up drops."""


class Corpus:
    """The documents of `paths`, in order: files, directories with all below them, `"-"` for standard input.

    Iterate to read. `skipped` and `ignored` fill up meanwhile and start again with every iteration.

    Attributes:
        skipped: what should have become a document and did not.
        ignored: how many files in directories are of no known kind, by suffix (`.png.gz`, empty without one). One
            without a suffix that begins as text is read as such. What is left out whatever its kind is counted by
            the reason: `walk.LEFT_OUT`, `DIRECTORY_LINK`, `CLEANED_OUT`, `GIVEN_TWICE`.
        known_files: gives what is remembered of a file by its path; a file that is the same is not read again.
        repeated: gives the lines that were left out of the pages of a folder before, because they repeat.
        unchanged: those files, until they are taken from here.
        read: what to remember of files that were read, until it is taken from here.
        unread: why some of these did not become a document, by path.
        known_problem: gives the reason why a file did not become a document, if it is as it was then.
        skipped_before: those files; they are not read again.
    """

    def __init__(
        self,
        paths: Sequence[Path | Document | Literal["-"]],
        *,
        metadata: Mapping[str, object] = NO_METADATA,
        wikiextractor_clean: bool = False,
        all_files: bool = False,
        keep_repeated: bool = False,
    ) -> None:
        """Remember `paths`; nothing is read before the iteration.

        Args:
            metadata: given to every document; where a document has a value of the same name, this one counts.
            wikiextractor_clean: clean up what WikiExtractor wrote as DrQA does (`wikiextractor.py`).
            all_files: take hidden files, those that `.gitignore` names and the like too (`walk.py`).
            keep_repeated: keep menus, and lines that repeat at the edges of the pages of a folder (`repeated.py`).

        Raises:
            InputError: some of the paths do not exist; the message names them all.
        """
        if missing := _missing(paths):
            raise InputError(f"nothing was read, because of paths that cannot be found: {', '.join(missing)}")
        self.paths = tuple(paths)
        self.metadata = dict(metadata)
        self.wikiextractor_clean, self.all_files, self.keep_repeated = wikiextractor_clean, all_files, keep_repeated
        self.known_files: Callable[[str], Sequence[KnownFile]] = lambda path: ()
        self.repeated: Callable[[str], Iterable[str]] = lambda folder: ()
        self.unchanged: list[Unchanged] = []
        self.read: list[KnownFile] = []
        self.unread: dict[str, str] = {}
        self.known_problem: Callable[[str, os.stat_result, str], str | None] = lambda path, status, how: None
        self.skipped_before: list[Skipped] = []
        self._how = reading_digest({"metadata": self.metadata, "clean": wikiextractor_clean, "repeated": keep_repeated})
        self.skipped: list[Skipped] = []
        self.ignored: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Document]:
        """Yield each document that can be stored, an id only once."""
        for entries in (self.skipped, self.skipped_before, self.unread, self.ignored):
            entries.clear()
        with closing(Sandbox()) as sandbox, closing(FirstPlaces()) as places, closing(FirstPlaces()) as files:
            for path in self.paths:
                for place, reading in self._readings(path, sandbox, files):
                    if isinstance(reading, Unchanged):
                        self._claim_unchanged(reading, place, places)
                        continue
                    document = self._finished(reading) if isinstance(reading, Document) else None
                    problem = reading if isinstance(reading, str) else document and objection(document)
                    if isinstance(problem, str):
                        self.skipped.append(Skipped(place, problem))
                        if document is not None:
                            self.unread[str(document.metadata.get("path"))] = problem
                    elif document is None:
                        self.ignored[CLEANED_OUT] += 1
                    elif (earlier := places.claim(document.id, place)) is not None:
                        self.skipped.append(Skipped(place, _taken(document.id, earlier)))
                    else:
                        yield document

    def _claim_unchanged(self, reading: Unchanged, place: str, places: FirstPlaces) -> None:
        """Note a file that need not be read, or that another one has its id."""
        if (earlier := places.claim(reading.id, place)) is None:
            self.unchanged.append(reading)
        else:
            self.skipped.append(Skipped(place, _taken(reading.id, earlier)))

    def _finished(self, document: Document) -> Document | None:
        """The document as the options want it, or None if they leave it out."""
        if self.wikiextractor_clean and is_wikiextractor(document):
            kept = cleaned(document)
            if kept is None:
                return None
            document = kept
        return replace(document, metadata={**document.metadata, **self.metadata}) if self.metadata else document

    def _readings(
        self, path: Path | Document | Literal["-"], sandbox: Sandbox, files: FirstPlaces
    ) -> Iterator[Reading]:
        """What is found at a path that was given; a document is given as it is."""
        if isinstance(path, Document):
            return iter([(f"document {path.id!r}", path)])
        if not isinstance(path, Path):
            return read_standard_input(sys.stdin.buffer)
        if path.is_dir():
            return self._directory(path, sandbox, files)
        return self._file(path, path.name, sandbox, files, default=read_text)

    def _directory(self, directory: Path, sandbox: Sandbox, files: FirstPlaces) -> Iterator[Reading]:
        """What is found below a directory, sorted by the names relative to it."""
        walk = Walk(directory, all_files=self.all_files)
        if self.keep_repeated:
            for name in walk:
                yield from self._file(directory / name, name, sandbox, files)
        else:
            read = ((directory / name, self._file(directory / name, name, sandbox, files)) for name in walk)
            pages = ((find_reader(path) == "html", readings) for path, readings in read)
            yield from without_repeated_lines(pages, self.read, self.repeated)
        self.ignored += walk.left_out
        for path, error in walk.errors:
            yield printable(path), f"cannot be listed: {reason(error)}"

    def _file(
        self, path: Path, id: str, sandbox: Sandbox, files: FirstPlaces, *, default: Reader | None = None
    ) -> Iterator[Reading]:
        """What is found in a file; one of no known kind is read by `default`, else it is only counted."""
        place = printable(path)
        try:
            status = path.stat()
            metadata = {"path": os.path.abspath(path), **_modified(status.st_mtime)}
            source = Source(place, id, uncompressed_name(path).stem, metadata)
            if not stat.S_ISREG(status.st_mode):
                yield place, "not a file but a named pipe, socket or device; pipe it to standard input, '-'"
            elif default is not None and (advice := REFUSED.get(suffixes(path)[0])):
                yield place, advice
            elif (read := find_reader(path) or find_by_content(path) or default) is None:
                self.ignored["".join(suffixes(path))] += 1
            elif len(self.paths) > 1 and files.claim(printable(os.path.abspath(path)), place) is not None:
                self.ignored[GIVEN_TWICE] += 1
            elif same := self._same(source, status):
                yield place, same
            elif problem := self.known_problem(str(metadata["path"]), status, self._how):
                self.skipped_before.append(Skipped(place, problem))
            else:
                yield from self._read(path, read, source, sandbox)
                self._remember(source, status)
        except READ_ERRORS as error:
            yield place, f"cannot be read: {reason(error)}"

    def _read(self, path: Path, read: Reader | str, source: Source, sandbox: Sandbox) -> Iterator[Reading]:
        """What a reader finds in a file."""
        self._single, self._problem = False, ""
        if read == "html" and self.keep_repeated:
            read = "html with menus"
        with open_binary(path) as file:
            readings = sandbox.read(read, path, source) if isinstance(read, str) else read(file, source)
            for number, (where, reading) in enumerate(readings):
                self._problem = reading if number == 0 and where == source.place and isinstance(reading, str) else ""
                self._single = number == 0 and isinstance(reading, Document) and reading.id == source.id
                yield where, _of_file(reading, source)

    def _same(self, source: Source, status: os.stat_result) -> Unchanged | None:
        """The file as it is known, if it has not changed since; under another id, if only that is known."""
        path = str(source.metadata["path"])
        same = [file for file in self.known_files(path) if file.how == self._how and file.is_same(status)]
        for file in sorted(same, key=lambda file: file.id != source.id):
            return Unchanged(path, source.id, file.id, str(source.metadata.get("modified", "")))
        return None

    def _remember(self, source: Source, status: os.stat_result) -> None:
        """Note the state of a file that became one document and nothing else, or nothing at all."""
        path = str(source.metadata["path"])
        if (self._single or self._problem) and (file := known_file(path, source.id, status, self._how)):
            self.read.append(file)
            if self._problem:
                self.unread[path] = self._problem


def _missing(paths: Sequence[Path | Document | Literal["-"]]) -> list[str]:
    """The paths that cannot be found, and why."""
    missing = []
    for path in paths:
        try:
            if isinstance(path, Path):
                path.stat()
        except (OSError, ValueError) as error:
            missing.append(f"{printable(str(path))} ({reason(error)})")
    return missing


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


def _of_file(reading: Document | Unchanged | str, source: Source) -> Document | Unchanged | str:
    """A record of a file of records keeps its own metadata, and learns where it came from."""
    if not isinstance(reading, Document) or "path" in reading.metadata:
        return reading
    return replace(reading, metadata={**reading.metadata, "path": source.metadata["path"]})


def printable(path: Path | str) -> str:
    """The path, with bytes that are not UTF-8 written as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def read_standard_input(file: IO[bytes]) -> Iterator[Reading]:
    """Read JSON lines if the first character that is not space is `{`, else one document of plain text."""
    start: list[bytes] = []
    source = Source("stdin", "stdin", "stdin", NO_METADATA)
    try:
        for line in (lines := limited_lines(file, TEXT_BYTES)):
            start.append(line)
            if line.removeprefix(codecs.BOM_UTF8).strip():
                break
        if start and start[-1].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            yield from json_documents(itertools.chain(start, lines), source)
        else:
            yield from read_text(io.BytesIO(b"".join((*start, file.read(TEXT_BYTES + 1)))), source)
    except READ_ERRORS as error:
        yield "stdin", f"cannot be read: {reason(error)}"
