"""Files and directories that appear whole: written under another name, synced, then renamed.

After a kill or a power cut there is what was there before or what was to take its place, never a part of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write a file under; at the end of the block the file takes the name `path`.

    An error in the block, or in syncing what it wrote, leaves what was there before.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        put_in_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a finished file or directory its name; its content, and then the name, outlast a power cut.

    Raises:
        OSError: it cannot be synced or renamed; a directory is not renamed over one that holds something.
    """
    sync_tree(temporary)
    os.replace(temporary, path)
    sync(path.absolute().parent)


def sync_tree(path: Path) -> None:
    """`sync` a file, or a directory with everything below it."""
    if path.is_dir():
        for below in path.iterdir():
            sync_tree(below)
    sync(path)


def sync(path: Path) -> None:
    """Write what the kernel holds of a file to the disk; of a directory, the names in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """Make a directory and its missing parents, so that they outlast a power cut."""
    missing = [path for path in (directory.absolute(), *directory.absolute().parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync(path.parent)


def write_json(path: Path, content: object) -> None:
    """Write a value as readable JSON."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
