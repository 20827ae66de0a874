"""What did not become a document, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from opendpr.cli.output import put, say
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.maintenance.add import AddReport

LISTED_PLACES = 20
"""Skipped places named one by one; JSON has them all."""
LISTED_IN_FOLDER = 3
"""The same before an answer from a folder."""


def report_skipped(report: AddReport, collection: Path, *, folder: bool = False) -> None:
    """Name what was skipped now; what was skipped before is only counted.

    Args:
        collection: the collection or the folder that was given
    """
    new, before = report.skipped, report.skipped_before
    if folder and len(new) > LISTED_IN_FOLDER:
        say(f"{len(new):,} skipped, as {new[0].place}: {new[0].reason}; 'opendpr info {collection}' shows the files")
        new = []
    for entry in new[:LISTED_PLACES]:
        say(f"skipped {entry.place}: {entry.reason}")
    if len(new) > LISTED_PLACES:
        say(f"... and {len(new) - LISTED_PLACES:,} more; 'opendpr add' with --json lists all")
    if before:
        say(f"{counted(len(before), 'file')} skipped as before; 'opendpr info {collection}' shows why")


def put_unread(unread: list[dict[str, str]]) -> None:
    """The files of a collection that are not in it, and why."""
    if unread:
        put(f"not read: {counted(len(unread), 'file')}")
    for entry in unread[:LISTED_PLACES]:
        put(f"  {entry['path']}: {entry['reason']}")
    if len(unread) > LISTED_PLACES:
        put(f"  ... and {len(unread) - LISTED_PLACES:,} more; --json lists all")
