"""Files of other systems, written by tests, and how reading them fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opendpr.errors import InputError


def write(path: Path, content: str | bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(read: Callable[[Path], Iterator[object]], path: Path, content: str | bytes) -> str:
    """What the error says after the file's name when a file with this content is read."""
    with pytest.raises(InputError) as caught:
        list(read(write(path, content)))
    message = str(caught.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))
