"""Directories for a while, which the next one clears away where the process that made them was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import filelock

LOCK_NAME = "in-use.lock"
"""File in each directory, which its process holds locked as long as it lives."""
UNLOCKED_SECONDS = 86_400.0
"""Age from which a directory without that file is taken to be left behind: one that is being made has none yet."""


class TemporaryFolder:
    """A directory in the system's temporary directory, until `close`.

    One whose process was killed goes when the next of the same prefix is made, or by `remove_abandoned`.

    Args:
        prefix: what the name begins with; all that begin so are folders of this class
    """

    def __init__(self, prefix: str) -> None:
        remove_abandoned(prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock = filelock.FileLock(self.path / LOCK_NAME)
        self._lock.acquire()

    def close(self) -> None:
        """Take the directory away."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def remove_abandoned(prefix: str) -> None:
    """Remove the directories of a prefix whose process has ended; those of other users stay."""
    for path in _own_directories(prefix):
        lock = path / LOCK_NAME
        if lock.exists():
            with suppress(filelock.Timeout, OSError), filelock.FileLock(lock, timeout=0):
                shutil.rmtree(path, ignore_errors=True)
        elif _age_seconds(path) > UNLOCKED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _own_directories(prefix: str) -> Iterator[Path]:
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(FileNotFoundError):  # another process may clear it away at the same moment
            if path.is_dir() and not path.is_symlink() and path.stat().st_uid == os.getuid():
                yield path


def _age_seconds(path: Path) -> float:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime
    return 0.0
