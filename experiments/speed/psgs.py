"""Passages a second of processor time that `opendpr add --no-vectors` takes in from a table like `psgs_w100.tsv`.

Each row has at most 100 words of the corpus. Reading, cutting and storing are measured apart from BM25, in a process
of their own that nothing else shares; processor time says the same beside other work, wall clock does not.

    python -m experiments.speed.psgs --passages 100000
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from experiments.common.command import command_line, parse
from experiments.common.data import Data
from experiments.common.processes import in_process
from experiments.common.report import Report
from opendpr.collection import open_writer
from opendpr.corpus import Corpus
from opendpr.iteration import batched
from opendpr.maintenance.add import BatchSizes
from opendpr.search.bm25 import update_bm25
from opendpr.text.splitting import Splitter

ROW_WORDS = 100


def rows(data: Data) -> Iterator[tuple[int, str, str]]:
    """Numbers, texts and titles."""
    number = 0
    for record in data.wikipedia():
        words = record["text"].split()
        for first in range(0, max(1, len(words) - ROW_WORDS + 1), ROW_WORDS):
            number += 1
            yield number, " ".join(words[first : first + ROW_WORDS]), record["title"] or record["id"]


def write_table(path: Path, data: Data, passages: int) -> Path:
    """A table of the released form."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(("id", "text", "title"))
        writer.writerows(islice(rows(data), passages))
    return path


def measure(table: Path, directory: Path) -> dict[str, float]:
    """Seconds of processor time and of wall clock: reading and storing, then BM25."""
    seconds = {}
    started = time.process_time(), time.perf_counter()
    with open_writer(directory, Splitter(unit="whole")) as writer:
        for batch in batched(Corpus([table]), BatchSizes().documents):
            writer.put_documents(batch)
        between = time.process_time(), time.perf_counter()
        update_bm25(writer)
    ended = time.process_time(), time.perf_counter()
    for place, clock in enumerate(("processor", "wall")):
        seconds[f"stored/{clock}"] = between[place] - started[place]
        seconds[f"into BM25/{clock}"] = ended[place] - between[place]
        seconds[f"both/{clock}"] = ended[place] - started[place]
    return seconds


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, precision=None)
    parser.add_argument("--passages", type=int, default=100_000)
    args = parse(parser, arguments, passages=5)
    folder = args.work / "psgs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    table = write_table(folder / "psgs_w100.tsv", args.data, args.passages)
    with table.open(encoding="utf-8") as file:
        passages = sum(1 for _ in file) - 1
    report = Report(args, passages=passages)
    for name, seconds in in_process(measure, table, folder / "collection").items():
        report.add(name, passages / seconds, "/s")
        print(f"{name:22} {passages / seconds:10,.0f} passages/s")
    shutil.rmtree(folder)
    report.write()


if __name__ == "__main__":
    main()
