"""Pages of HTML held back until what repeats in their folders is known, in the order in which they were found."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from opendpr.corpus.events import Ignored, SkippedBefore, Unchanged
from opendpr.corpus.known import KnownFile
from opendpr.corpus.repeated import RepeatedLines
from opendpr.types import Document

HELD_READINGS = 1_000
HELD_CHARACTERS = 30_000_000
"""How much is held back at once; a larger folder is taken in parts, and what repeats in one holds in the next."""


Finding: TypeAlias = tuple[str, Document | str | Unchanged | SkippedBefore | Ignored | KnownFile]
"""A place, and what is found there: a string is the reason why there is no document. What to remember of a file comes
after all else that is found in it."""


class FileFindings(NamedTuple):
    """What was found in one file."""

    findings: list[Finding]
    is_page: bool


def without_repeated_lines(
    files: Iterable[tuple[bool, Iterator[Finding]]], before: Callable[[str], Iterable[str]]
) -> Iterator[Finding]:
    """The findings of files, those of pages without the lines that repeat in their folder.

    Args:
        files: for each whether it is a page, and what is found in it
        before: gives the lines that were left out of the pages of a folder earlier
    """
    folders: dict[str, RepeatedLines] = {}
    held: list[FileFindings] = []
    characters = 0
    for is_page, findings in files:
        file = FileFindings(list(islice(findings, 2)), is_page)
        characters += sum(len(document.text) for document in _documents(file))
        held.append(file)
        of_records = len(file.findings) > 1 and not isinstance(file.findings[1][1], KnownFile)
        if of_records or len(held) >= HELD_READINGS or characters > HELD_CHARACTERS or not held[0].is_page:
            yield from _released(held, folders, before)
            held, characters = [], 0
        yield from findings  # of a file of records
    yield from _released(held, folders, before)


def _released(
    held: Sequence[FileFindings], folders: dict[str, RepeatedLines], before: Callable[[str], Iterable[str]]
) -> Iterator[Finding]:
    """What was held back, after what repeats in it was learnt."""
    pages: defaultdict[str, list[Document]] = defaultdict(list)
    for file in held:
        for page in _documents(file) if file.is_page else ():
            pages[_folder(page)].append(page)
    for folder, own in pages.items():
        if folder not in folders:
            folders[folder] = RepeatedLines(before(folder))
        folders[folder].learn(own)
    for file in held:
        for place, finding in file.findings:
            if file.is_page and isinstance(finding, Document):
                finding = folders[_folder(finding)].without(finding)
            yield place, finding


def _documents(file: FileFindings) -> Iterator[Document]:
    return (finding for _, finding in file.findings if isinstance(finding, Document))


def _folder(page: Document) -> str:
    return os.path.dirname(str(page.metadata.get("path", "")))
