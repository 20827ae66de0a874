"""What the caches of words and of vectors share: either can be replaced while it is opened, or be damaged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from opendpr.search.seen import SEEN_FILE, read_seen
from opendpr.storage.digests import file_sha256

OPEN_ATTEMPTS, OPEN_PAUSE_SECONDS = 5, 0.02
"""How often a cache is opened that another one replaces meanwhile, and the time between."""


def attempts(stamp: Callable[[], object]) -> Iterator[None]:
    """Attempts to open a cache: one, and more as long as another cache takes its place meanwhile.

    Args:
        stamp: returns a value that is another one after the cache was replaced
    """
    for _ in range(OPEN_ATTEMPTS):
        before = stamp()
        yield
        if stamp() == before:
            return
        time.sleep(OPEN_PAUSE_SECONDS)


def check_cache(
    directory: Path, files: Callable[[dict[str, Any]], Mapping[Path, str]], remedy: str
) -> tuple[dict[str, Any] | None, list[str]]:
    """Compare a cache's files with the checksums noted when they were written; a missing cache is no damage.

    Args:
        files: the files to compare and their SHA-256, from the content of `seen.json`
        remedy: what to do about damage

    Returns:
        The content of `seen.json`, None if there is none that can be read; and the problems.
    """
    path = directory / SEEN_FILE
    while path.exists():
        try:
            record = read_seen(directory)
            problems = damaged_files(files(record))
            if read_seen(directory) == record:  # else a writer was at work
                return record, [f"{problem}; {remedy}" for problem in problems]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if path.exists():  # else another cache takes its place at this moment
                return None, [f"{path} is damaged ({error!r}); {remedy}"]
    return None, []


def damaged_files(files: Mapping[Path, str]) -> list[str]:
    """What is wrong with those of the files whose SHA-256 is not the one noted."""
    problems = []
    for file, stored in files.items():
        try:
            if file_sha256(file) != stored:
                problems.append(f"{file} does not match its checksum")
        except FileNotFoundError:
            problems.append(f"{file} is missing")
        except OSError as error:
            problems.append(f"{file} cannot be read ({error.strerror})")
    return problems
