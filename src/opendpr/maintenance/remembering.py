"""Files that need not be read again, because they are as they were, or are known under another id."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from opendpr.collection import Writer
from opendpr.collection.files import (
    UnreadFile,
    forget_unread,
    has_files,
    known_files,
    metadata_beside,
    note_files,
    note_unread,
    rename_document,
    set_modified,
    unread_files,
)
from opendpr.corpus import Corpus
from opendpr.corpus.known import KnownFile
from opendpr.corpus.running_lines import repeated_lines
from opendpr.corpus.source import Unchanged

COMPARED_PAGES = 50
"""Pages of a folder that are compared for lines that repeat there, when one of them has changed."""


class Moved(NamedTuple):
    """A file that is known by another id than before: its folder was given with another one above it."""

    before: str
    now: str


class FileMemory:
    """What a collection remembers of the files of a corpus."""

    def __init__(self, writer: Writer, corpus: Corpus) -> None:
        self._writer, self._corpus = writer, corpus
        self._remembers = has_files(writer)
        self.moved: list[Moved] = []
        corpus.known_files, corpus.repeated, corpus.known_problem = (
            self._known_files,
            self._repeated,
            self._known_problem,
        )
        corpus.unchanged.clear()
        corpus.read.clear()

    def _known_files(self, path: str) -> Sequence[KnownFile]:
        return known_files(self._writer, path) if self._remembers else ()

    def _known_problem(self, path: str, status: os.stat_result, how: str) -> str | None:
        """Why a file did not become a document, if it is as it was then and is read as it was then."""
        same = (entry for entry in unread_files(self._writer, path) if entry.file.how == how)
        return next((entry.reason for entry in same if entry.file.is_same(status)), None)

    def _repeated(self, folder: str) -> set[str]:
        """The lines that were left out of pages of a folder before."""
        pages = metadata_beside(self._writer, folder, COMPARED_PAGES) if self._remembers else []
        return {line for metadata in pages for line in repeated_lines(metadata)}

    def settle(self) -> list[Unchanged]:
        """Note the files that were read since, move documents to their new ids; returns files that are unchanged."""
        read, unchanged = self._corpus.read.copy(), self._corpus.unchanged.copy()
        self._corpus.read.clear()
        self._corpus.unchanged.clear()
        reasons = self._corpus.unread
        note_unread(self._writer, [UnreadFile(file, reasons[file.path]) for file in read if file.path in reasons])
        read = [file for file in read if file.path not in reasons]
        forget_unread(self._writer, [file.path for file in read])
        for read_file in read:
            self._drop_others(read_file)
        note_files(self._writer, [entry for entry in read if self._writer.has_document(entry.id)])
        self._remembers = self._remembers or bool(read)
        for entry in unchanged:
            if entry.before != entry.id:
                self.moved.append(Moved(entry.before, entry.id))
                if self._writer.has_document(entry.id):
                    self._writer.remove_documents([entry.before])
                else:
                    rename_document(self._writer, entry.before, entry.id)
        self._note_times(unchanged)
        return unchanged

    def _drop_others(self, file: KnownFile) -> None:
        """Remove the document that a file gave under another id; its new form is there."""
        for other in self._known_files(file.path):
            if other.id != file.id:
                self._writer.remove_documents([other.id])
                self.moved.append(Moved(other.id, file.id))

    def _note_times(self, unchanged: Sequence[Unchanged]) -> None:
        """Bring up to date what is known of files that have another time and the same content."""
        renewed: list[KnownFile] = []
        times: dict[str, str] = {}
        for file in unchanged:
            for remembered in self._known_files(file.path):
                status = os.stat(file.path)
                if remembered.id == file.id and remembered != remembered.with_status(status):
                    renewed.append(remembered.with_status(status))
                    times[file.id] = file.modified
        set_modified(self._writer, times)
        note_files(self._writer, renewed)
