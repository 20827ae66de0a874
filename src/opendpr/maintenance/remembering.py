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
from opendpr.corpus.events import FileRead, Unchanged
from opendpr.corpus.known import KnownFile
from opendpr.corpus.running_lines import repeated_lines

COMPARED_PAGES = 50
"""Pages of a folder that are compared for lines that repeat there, when one of them has changed."""


class Moved(NamedTuple):
    """A file that is known by another id than before: its folder was given with another one above it."""

    before: str
    now: str


class FileMemory:
    """What a collection remembers of the files that its documents came from."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._remembers = has_files(writer)

    def known_files(self, path: str) -> Sequence[KnownFile]:
        """The documents that a file became, each with the state the file had."""
        return known_files(self._writer, path) if self._remembers else ()

    def known_problem(self, path: str, status: os.stat_result, how: str) -> str | None:
        """Why a file did not become a document, if it is as it was then and is read as it was then."""
        same = (entry for entry in unread_files(self._writer, path) if entry.file.how == how)
        return next((entry.reason for entry in same if entry.file.is_same(status)), None)

    def repeated_lines(self, folder: str) -> set[str]:
        """The lines that were left out of pages of a folder before."""
        pages = metadata_beside(self._writer, folder, COMPARED_PAGES) if self._remembers else []
        return {line for metadata in pages for line in repeated_lines(metadata)}

    def note(self, files_read: Sequence[FileRead], unchanged: Sequence[Unchanged]) -> list[Moved]:
        """Note files whose documents are stored; returns documents that are moved to the new id of their file."""
        note_unread(self._writer, [UnreadFile(file, problem) for file, problem in files_read if problem])
        read = [file for file, problem in files_read if not problem]
        forget_unread(self._writer, [file.path for file in read])
        moved = [move for file in read for move in self._drop_others(file)]
        note_files(self._writer, [file for file in read if self._writer.has_document(file.id)])
        self._remembers = self._remembers or bool(read)
        for entry in unchanged:
            if entry.before != entry.id:
                moved.append(Moved(entry.before, entry.id))
                if self._writer.has_document(entry.id):
                    self._writer.remove_documents([entry.before])
                else:
                    rename_document(self._writer, entry.before, entry.id)
        self._note_times(unchanged)
        return moved

    def _drop_others(self, file: KnownFile) -> list[Moved]:
        """Remove the documents that a file gave under another id; its new form is there."""
        others = [other.id for other in self.known_files(file.path) if other.id != file.id]
        for other in others:
            self._writer.remove_documents([other])
        return [Moved(other, file.id) for other in others]

    def _note_times(self, unchanged: Sequence[Unchanged]) -> None:
        """Bring up to date what is known of files that have another time and the same content."""
        renewed: list[KnownFile] = []
        times: dict[str, str] = {}
        for file in unchanged:
            for remembered in self.known_files(file.path):
                status = os.stat(file.path)
                if remembered.id == file.id and remembered != remembered.with_status(status):
                    renewed.append(remembered.with_status(status))
                    times[file.id] = file.modified
        set_modified(self._writer, times)
        note_files(self._writer, renewed)
