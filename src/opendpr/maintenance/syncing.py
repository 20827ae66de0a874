"""Documents whose files have disappeared from the directories that a collection is kept in sync with."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from opendpr.collection import Writer, selection
from opendpr.corpus import Skipped


def gone_documents(
    writer: Writer, ids: Collection[str], directories: Sequence[Path], *, skipped: Sequence[Skipped]
) -> list[str]:
    """Documents that came from the directories and are not among `ids`."""
    roots = [directory.resolve() for directory in directories]
    places = {re.sub(r":\d+$", "", entry.place) for entry in skipped} | {entry.place for entry in skipped}
    troubled = {Path(os.path.abspath(place)) for place in places}  # files, and directories that could not be listed
    gone = []
    for id, name in selection.paths(writer):
        path = Path(name)
        if id in ids or not path.is_absolute():  # a record's own "path" may be anything
            continue
        below = any(path.parent.resolve().is_relative_to(root) for root in roots)
        if below and path not in troubled and troubled.isdisjoint(path.parents):
            gone.append(id)
    return gone


def without_documents(directories: Sequence[Path], paths: Sequence[str]) -> list[Path]:
    """The directories that hold none of the files."""
    below = {path for name in paths for path in Path(os.path.abspath(name)).parents}
    return [directory for directory in directories if Path(os.path.abspath(directory)) not in below]
