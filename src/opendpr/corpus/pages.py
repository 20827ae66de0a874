"""Pages of HTML held back until what repeats in their folders is known, in the order in which they were found."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from opendpr.corpus.known import KnownFile
from opendpr.corpus.repeated import RepeatedLines
from opendpr.corpus.source import Reading
from opendpr.types import Document

HELD_READINGS = 1_000
HELD_CHARACTERS = 30_000_000
"""How much is held back at once; a larger folder is taken in parts, and what repeats in one holds in the next."""


class PageReadings(NamedTuple):
    """What was found in one file."""

    readings: list[Reading]
    known_files: list[KnownFile]
    """What to remember of it, once its document is passed on."""
    is_page: bool


def without_repeated_lines(
    files: Iterable[tuple[bool, Iterator[Reading]]],
    remember: list[KnownFile],
    before: Callable[[str], Iterable[str]] = lambda folder: (),
) -> Iterator[Reading]:
    """The readings of files, those of pages without the lines that repeat in their folder.

    Args:
        files: for each whether it is a page, and what is found in it
        before: gives the lines that were left out of the pages of a folder earlier
        remember: gets what to remember of a file when its last reading is taken; held back with its document
    """
    folders: dict[str, RepeatedLines] = {}
    held: list[PageReadings] = []
    characters = 0
    for is_page, readings in files:
        mark = len(remember)
        first = list(islice(readings, 2))
        file = PageReadings(first, remember[mark:], is_page)
        del remember[mark:]
        characters += sum(len(document.text) for document in _documents(file))
        held.append(file)
        if len(first) > 1 or len(held) >= HELD_READINGS or characters > HELD_CHARACTERS or not held[0].is_page:
            yield from _released(held, folders, before, remember)
            held, characters = [], 0
        yield from readings  # of a file of records
    yield from _released(held, folders, before, remember)


def _released(
    held: Sequence[PageReadings],
    folders: dict[str, RepeatedLines],
    before: Callable[[str], Iterable[str]],
    remember: list[KnownFile],
) -> Iterator[Reading]:
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
        for place, reading in file.readings:
            if file.is_page and isinstance(reading, Document):
                reading = folders[_folder(reading)].without(reading)
            yield place, reading
        remember.extend(file.known_files)


def _documents(file: PageReadings) -> Iterator[Document]:
    return (reading for _, reading in file.readings if isinstance(reading, Document))


def _folder(page: Document) -> str:
    return os.path.dirname(str(page.metadata.get("path", "")))
