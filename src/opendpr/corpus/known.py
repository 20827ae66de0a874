"""What is remembered of a file that was read, so that it need not be read again while it is the same."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from opendpr.storage.digests import file_sha256

READING_VERSION = 9
"""Changes whenever a reader gives other text or metadata: every file is read once more."""
FILE_SETTLED_SECONDS = 2.0
"""A file that was changed so shortly before may be changed again without another time."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that became one document."""

    path: str
    id: str
    size_bytes: int
    modified_ns: int
    """When it was changed; -1 if that was too short before to be relied on."""
    sha256: str
    how: str
    """Digest of the options that it was read with."""

    def is_same(self, status: os.stat_result) -> bool:
        """Whether the file is as it was, by size and time, or else by its content."""
        if self.size_bytes != status.st_size:
            return False
        return self.modified_ns == status.st_mtime_ns or file_sha256(Path(self.path)) == self.sha256

    def with_status(self, status: os.stat_result) -> KnownFile:
        """The same file with the time that it has now."""
        settled = time.time() - status.st_mtime > FILE_SETTLED_SECONDS
        return replace(self, modified_ns=status.st_mtime_ns if settled else -1)


class FileHistory(Protocol):
    """What is remembered of files that were read before."""

    def known_files(self, path: str) -> Sequence[KnownFile]:
        """The documents that a file became, each with the state the file had."""

    def known_problem(self, path: str, status: os.stat_result, how: str) -> str | None:
        """Why a file did not become a document, if it is as it was then and is read as it was then."""

    def repeated_lines(self, folder: str) -> Iterable[str]:
        """The lines that were left out of the pages of a folder, because they repeat."""


class NoHistory:
    """The history of files that were never read."""

    def known_files(self, path: str) -> Sequence[KnownFile]:
        """No documents."""
        return ()

    def known_problem(self, path: str, status: os.stat_result, how: str) -> str | None:
        """No reason."""
        return None

    def repeated_lines(self, folder: str) -> Iterable[str]:
        """No lines."""
        return ()


NO_HISTORY = NoHistory()


def reading_digest(options: Mapping[str, object]) -> str:
    """What `KnownFile.how` says of options that change the documents of a file."""
    return hashlib.sha256(json.dumps([READING_VERSION, options], sort_keys=True, default=str).encode()).hexdigest()[:16]


def known_file(path: str, id: str, status: os.stat_result, how: str) -> KnownFile | None:
    """What to remember of a file whose state was `status` before it was read; None if it has changed since."""
    digest = file_sha256(Path(path))
    now = os.stat(path)
    if (now.st_size, now.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
        return None
    return KnownFile(path, id, status.st_size, -1, digest, how).with_status(status)
