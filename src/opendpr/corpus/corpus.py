"""Files found, read and checked: what `opendpr.corpus` gives its users."""

from __future__ import annotations

import codecs
import io
import itertools
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal, NamedTuple

from opendpr.corpus.events import Event, FileRead, Ignored, Skipped, SkippedBefore, Unchanged
from opendpr.corpus.first_places import FirstPlaces
from opendpr.corpus.jsonlines import json_documents, read_json_lines
from opendpr.corpus.kinds import REFUSED, find_by_content, find_reader, suffixes
from opendpr.corpus.known import NO_HISTORY, FileHistory, KnownFile, known_file, reading_digest
from opendpr.corpus.objections import objection
from opendpr.corpus.pages import Finding, without_repeated_lines
from opendpr.corpus.sandbox import Sandbox
from opendpr.corpus.source import TEXT_BYTES, Reader, Reading, Source
from opendpr.corpus.text import read_text
from opendpr.corpus.unicode_forms import RECOGNISED_BYTES, as_utf8
from opendpr.corpus.walk import Walk
from opendpr.corpus.wikiextractor import cleaned, is_wikiextractor
from opendpr.errors import InputError
from opendpr.storage.compression import READ_ERRORS, open_binary, reason, uncompressed_name
from opendpr.storage.lines import limited_lines
from opendpr.types import NO_METADATA, Document

STANDARD_INPUT: Literal["-"] = "-"
GIVEN_TWICE = "file given twice"
"""`Ignored.kind` of a file that was found before, by another of the paths."""
NO_RECORDS = "no records"
"""Why there is no document in a file of records that holds none."""
CLEANED_OUT = "Wikipedia page that is mostly links"
"""`Ignored.kind` of a page that DrQA's clean-up drops."""


class _Tools(NamedTuple):
    """What one reading of a corpus works with."""

    sandbox: Sandbox
    files: FirstPlaces
    """Where each file was found."""
    history: FileHistory


class Corpus:
    """The documents of `paths`, in order: files, directories with all below them, `"-"` for standard input.

    Iterate for the documents alone; `events` says also what became none.
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
            raise InputError(
                f"nothing was read, because of paths that cannot be found: {', '.join(missing)}; check their names, or "
                "leave them out"
            )
        self.paths = tuple(paths)
        self.metadata = dict(metadata)
        self.wikiextractor_clean, self.all_files, self.keep_repeated = wikiextractor_clean, all_files, keep_repeated
        self._how = reading_digest({"metadata": self.metadata, "clean": wikiextractor_clean, "repeated": keep_repeated})

    def __iter__(self) -> Iterator[Document]:
        """Yield each document that can be stored, an id only once."""
        return (event for event in self.events() if isinstance(event, Document))

    def events(self, history: FileHistory = NO_HISTORY) -> Iterator[Event]:
        """Yield each document that can be stored, an id only once, and what else is found in the order of reading.

        Files in directories are ignored if they are of no known kind; one without a suffix that begins as text is read
        as such. What is left out whatever its kind is ignored by its reason: `walk.LEFT_OUT`, `DIRECTORY_LINK`,
        `CLEANED_OUT`, `GIVEN_TWICE`.

        Args:
            history: what is remembered of files; one that is the same is not read again.
        """
        with closing(Sandbox()) as sandbox, closing(FirstPlaces()) as ids, closing(FirstPlaces()) as files:
            tools, problem = _Tools(sandbox, files, history), ""
            for path in self.paths:
                for place, finding in self._findings(path, tools):
                    if isinstance(finding, KnownFile):
                        yield FileRead(finding, problem)
                        continue
                    finished = self._finished(finding) if isinstance(finding, Document) else finding
                    problem = finished if isinstance(finished, str) else ""
                    yield _event(place, finished, ids)

    def _finished(self, document: Document) -> Document | Ignored | str:
        """The document as the options want it, unless they leave it out; or why it cannot be stored."""
        if self.wikiextractor_clean and is_wikiextractor(document):
            kept = cleaned(document)
            if kept is None:
                return Ignored(CLEANED_OUT)
            document = kept
        if self.metadata:
            document = replace(document, metadata={**document.metadata, **self.metadata})
        return objection(document) or document

    def _findings(self, path: Path | Document | Literal["-"], tools: _Tools) -> Iterator[Finding]:
        """What is found at a path that was given; a document is given as it is."""
        if isinstance(path, Document):
            return iter([(f"document {path.id!r}", path)])
        if not isinstance(path, Path):
            return read_standard_input(sys.stdin.buffer)
        if path.is_dir():
            return self._directory(path, tools)
        return self._file(path, path.name, tools, default=read_text)

    def _directory(self, directory: Path, tools: _Tools) -> Iterator[Finding]:
        """What is found below a directory, sorted by the names relative to it."""
        walk = Walk(directory, all_files=self.all_files)
        files = ((directory / name, self._file(directory / name, name, tools)) for name in walk)
        if self.keep_repeated:
            yield from itertools.chain.from_iterable(findings for _, findings in files)
        else:
            pages = ((find_reader(path) == "html", findings) for path, findings in files)
            yield from without_repeated_lines(pages, tools.history.repeated_lines)
        for kind, count in walk.left_out.items():
            yield printable(directory), Ignored(kind, count)
        for path, error in walk.errors:
            yield printable(path), f"cannot be listed: {reason(error)}"

    def _file(self, path: Path, id: str, tools: _Tools, *, default: Reader | None = None) -> Iterator[Finding]:
        """What is found in a file; one of no known kind is read by `default`, else it is ignored."""
        place = printable(path)
        try:
            status = path.stat()
            metadata = {"path": os.path.abspath(path), **_modified(status.st_mtime)}
            source = Source(place, id, uncompressed_name(path).stem, metadata)
            if not stat.S_ISREG(status.st_mode):
                yield place, "not a file but a named pipe, socket or device; pipe it to standard input, '-'"
            elif default is not None and (advice := REFUSED.get(suffixes(path)[0])):
                yield place, advice
            elif printable(os.path.abspath(path)) != os.path.abspath(path):  # which no collection can store
                yield place, "its path is not valid UTF-8; rename it"
            elif (read := find_reader(path) or find_by_content(path) or default) is None:
                yield place, Ignored("".join(suffixes(path)))
            elif len(self.paths) > 1 and tools.files.claim(printable(os.path.abspath(path)), place) is not None:
                yield place, Ignored(GIVEN_TWICE)
            elif same := self._same(source, status, tools.history):
                yield place, same
            elif problem := tools.history.known_problem(str(metadata["path"]), status, self._how):
                yield place, SkippedBefore(Skipped(place, problem))
            else:
                yield from self._read(path, read, source, status=status, sandbox=tools.sandbox)
        except READ_ERRORS as error:
            yield place, f"cannot be read: {reason(error)}"

    def _read(
        self, path: Path, read: Reader | str, source: Source, *, status: os.stat_result, sandbox: Sandbox
    ) -> Iterator[Finding]:
        """What a reader finds in a file; then its state, if that is one document and nothing else, or one problem."""
        if read == "html" and self.keep_repeated:
            read = "html with menus"
        is_one, number = False, -1
        with open_binary(path) as file:
            readings = sandbox.read(read, path, source) if isinstance(read, str) else read(file, source)
            for number, (where, reading) in enumerate(readings):
                of_file = reading.id == source.id if isinstance(reading, Document) else where == source.place
                is_one = number == 0 and of_file
                yield where, _of_file(reading, source)
        if number < 0:
            is_one = True
            yield source.place, NO_RECORDS
        if is_one and (known := known_file(str(source.metadata["path"]), source.id, status, self._how)):
            yield source.place, known

    def _same(self, source: Source, status: os.stat_result, history: FileHistory) -> Unchanged | None:
        """The file as it is known, if it has not changed since; under another id, if only that is known."""
        path = str(source.metadata["path"])
        same = [file for file in history.known_files(path) if file.how == self._how and file.is_same(status)]
        for file in sorted(same, key=lambda file: file.id != source.id):
            return Unchanged(path, source.id, file.id, str(source.metadata.get("modified", "")))
        return None


def _event(place: str, finding: Document | str | Unchanged | SkippedBefore | Ignored, ids: FirstPlaces) -> Event:
    """The event of a finding; what has the id of an earlier one is skipped."""
    if isinstance(finding, str):
        return Skipped(place, finding)
    if isinstance(finding, (Document, Unchanged)) and (earlier := ids.claim(finding.id, place)) is not None:
        return Skipped(place, _taken(finding.id, earlier))
    return finding


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


def _of_file(reading: Document | str, source: Source) -> Document | str:
    """A record of a file of records keeps its own metadata, and learns where it came from."""
    if not isinstance(reading, Document) or "path" in reading.metadata:
        return reading
    metadata = {**reading.metadata, "path": source.metadata["path"]}
    return Document(reading.id, reading.title, reading.text, metadata)  # faster than to replace one field


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
            return
        data = b"".join((*start, file.read(TEXT_BYTES + 1)))
        is_json = as_utf8(data[:RECOGNISED_BYTES]).lstrip().startswith(b"{")  # of UTF-16, which the first line is not
        yield from (read_json_lines if is_json else read_text)(io.BytesIO(data), source)
    except READ_ERRORS as error:
        yield "stdin", f"cannot be read: {reason(error)}"
