"""What did not become a document, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opendpr.cli.output import on_one_line, put, say
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.corpus import Skipped
    from opendpr.maintenance.add import AddReport

LISTED_PLACES = 20
"""Skipped files named one by one; JSON has them all."""
LISTED_IN_FOLDER = 3
"""The same before an answer from a folder."""
LISTED_ROWS = 3
"""Skipped rows of one file."""
ROW_PLACE = re.compile(r"(?P<file>.+?)(?P<row>:\d+(?: \(record \d+\))?| \(record \d+\)|, (?:page|sheet) .+)")


def report_skipped(report: AddReport, collection: Path, *, folder: bool = False) -> None:
    """Name what was skipped now, rows of one file together; files that were skipped before are only counted.

    Args:
        collection: the collection or the folder that was given
    """
    lines = list(skipped_lines(report.skipped))
    listed = LISTED_IN_FOLDER if folder else LISTED_PLACES
    for line in lines[:listed]:
        say(line)
    if len(lines) > listed:
        say(f"... and {counted(len(lines) - listed, 'file')} more; {_what_lists_all(report, collection, folder)}")
    if before := report.skipped_before:
        say(f"{counted(len(before), 'file')} skipped as before; 'opendpr info {collection}' shows why")


def _what_lists_all(report: AddReport, collection: Path, folder: bool) -> str:
    """The command that lists whatever was skipped; `info` has the files of a folder with documents, but no rows."""
    if not folder:
        return "'opendpr add' with '--json' lists all"
    if report.documents and not any(ROW_PLACE.fullmatch(entry.place) for entry in report.skipped):
        return f"'opendpr info {collection} --json' lists all"
    return f"'opendpr add COLLECTION {collection} --no-vectors --json' lists all"


def skipped_lines(skipped: Iterable[Skipped]) -> Iterator[str]:
    """A line for each file: why it was skipped, or how many of its rows, which and why."""
    by_file: dict[str, list[tuple[str, str]]] = {}
    for entry in skipped:
        place = ROW_PLACE.fullmatch(entry.place)
        file, row = (place["file"], place["row"]) if place else (entry.place, "")
        by_file.setdefault(file, []).append((row, entry.reason))
    for file, rows in by_file.items():
        if len(rows) <= LISTED_ROWS:
            yield from (f"skipped {file}{row}: {reason}" for row, reason in rows)
            continue
        examples = "; ".join(f"{file}{row}: {reason}" for row, reason in rows[:LISTED_ROWS])
        yield f"skipped {counted(len(rows), 'row')} of {file}, as {examples}"


def put_unread(unread: list[dict[str, str]]) -> None:
    """The files of a collection that are not in it, and why."""
    if unread:
        put(f"not read: {counted(len(unread), 'file')}")
    for entry in unread[:LISTED_PLACES]:
        put(f"  {entry['path']}: {entry['reason']}")
    if len(unread) > LISTED_PLACES:
        put(f"  ... and {len(unread) - LISTED_PLACES:,} more; --json lists all")


def report_ignored(report: AddReport, command: Sequence[str]) -> None:
    """What was left out of folders, and how to take it."""
    from opendpr.corpus import LEFT_OUT

    by_rule = [f"{name} ({report.ignored[name]})" for name in LEFT_OUT if report.ignored[name]]
    if by_rule:
        say(f"left out: {', '.join(by_rule)}; '{' '.join(command)} --all-files' takes them")
    kinds = [
        f"{kind or 'no suffix, no text'} ({count})"
        for kind, count in report.ignored.most_common()
        if kind not in LEFT_OUT
    ]
    if kinds:
        say(
            f"left out, of other kinds: {', '.join(kinds)}; a text file among them is read if it is named itself: "
            f"'{' '.join(command)} FILE'"
        )


def report_western(report: AddReport) -> None:
    """How many documents were read in an encoding that nothing tells, and words that show whether it fits."""
    if report.western:
        words = ", ".join(f"{on_one_line(word)} in {on_one_line(id)}" for id, word in report.western_words.items())
        examples = f" ({words})" if words else ""
        say(
            f"read as Windows-1252, as they are not UTF-8: {counted(report.western, 'document')}{examples}; "
            "where a word is wrong, convert the file to UTF-8"
        )
