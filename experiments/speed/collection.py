"""What the store costs beside encoding: adding, fetching, opening, and bringing up to date.

Documents are of one passage each, the dearest case; their vectors are given, not computed. Everything
else is what `opendpr add` does: reading a JSONL file, storing, and writing the BM25 cache.

    python -m experiments.speed.collection --passages 1000000
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.data import arguments
from experiments.common.machine import describe, memory_megabytes
from experiments.common.synthetic import GivenVectors, Texts, write_jsonl
from opendpr.collection import open_collection, open_writer
from opendpr.corpus import Corpus
from opendpr.maintenance.add import add
from opendpr.model.directory import Model, find_model
from opendpr.search.bm25 import DIRECTORY
from opendpr.search.retrievers import Bm25Retriever, DenseRetriever, Snapshot
from opendpr.types import Document

SEED = 0
BLOCK = 100_000
"""Passages between two lines of the report, and documents of the collection in which one is replaced."""
FETCHED = 100
DRAWS = 200
RUNS = 5
QUESTION = "When was the first railway station of the city opened by the company?"


class Seconds(NamedTuple):
    """What something took: on a machine that others use, the processor's seconds tell more of it than the clock."""

    clock: float
    processor: float


class Meter:
    """Prints rates and memory for every block of passages."""

    def __init__(self) -> None:
        self.done, self.since = 0, now()

    def reached(self, what: str, done: int, total: int) -> None:
        """So many passages are done."""
        if done // BLOCK > self.done // BLOCK or done == total:
            clock, processor = (
                (done - self.done) / (end - start) for end, start in zip(now(), self.since, strict=True)
            )
            rates = f"{clock:>9,.0f} {processor:>9,.0f}"
            print(f"{what:8} {done:>10,} {rates} {memory_megabytes():>7,.0f} MB", flush=True)
            self.done, self.since = done, now()


def now() -> Seconds:
    return Seconds(time.perf_counter(), time.process_time())


def measure_adding(directory: Path, source: Path, passages: int, encoder: GivenVectors) -> None:
    """Rate and memory of the two passes of `add` over the passages, and of BM25 between them."""
    print(f"{'':8} {'passages':>10} {'a second':>9} {'of CPU':>9} {'memory':>10}")
    print(f"before   {'':>30} {memory_megabytes():>7,.0f} MB")
    together, meter = Meter(), Meter()

    def documents() -> Iterator[Document]:
        for done, document in enumerate(Corpus([source]), start=1):
            yield document
            meter.reached("stored", done, passages)

    def progress(done: int, total: int) -> None:
        if meter.done == passages:  # the first batch of vectors: before it, BM25 was brought up to date
            meter.done = 0
            meter.reached("bm25", passages, passages)
            meter.done = 0
        meter.reached("vectors", done, total)

    with open_writer(directory) as writer:
        add(writer, documents(), encoder, on_progress=progress)
    together.reached("together", passages, passages)
    print(f"collection.db {megabytes(directory):,.0f} MB, bm25/ {megabytes(directory / DIRECTORY):,.0f} MB")


def megabytes(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.iterdir() if path.is_file()) / 1e6


def measure_fetching(directory: Path) -> None:
    """Milliseconds for 100 passages anywhere in the collection, read before."""
    generator, milliseconds = np.random.default_rng(SEED), []
    with open_collection(directory) as collection:
        numbers = generator.integers(1, collection.counts()["passages"] + 1, (DRAWS, FETCHED)).tolist()
        for first in (True, False):
            for some in numbers:
                started = time.perf_counter()
                collection.passages(some)
                if not first:
                    milliseconds.append(1000 * (time.perf_counter() - started))
    low, high = statistics.median(milliseconds), np.percentile(milliseconds, 95)
    print(f"{FETCHED} passages fetched: median {low:.2f} ms, 95th percentile {high:.2f} ms")


def forget(directory: Path) -> None:
    """Let the kernel drop the pages of the files below a directory."""
    for path in directory.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def first_search(directory: Path, kind: str, model: Model) -> tuple[float, float, float]:
    """Seconds from opening to the first passages, seconds of a second search, megabytes then."""
    encoder, before = GivenVectors(model, SEED), memory_megabytes()
    started = time.perf_counter()
    with open_collection(directory) as collection:
        snapshot = Snapshot(collection)
        retriever = DenseRetriever(snapshot, encoder) if kind == "dense" else Bm25Retriever(snapshot)
        retriever.retrieve([QUESTION], FETCHED)
        opened = time.perf_counter()
        retriever.retrieve([QUESTION], FETCHED)
        return opened - started, time.perf_counter() - opened, memory_megabytes() - before


def measure_opening(directory: Path, model: Model) -> None:
    """Each in a process of its own."""
    for kind in ("dense", "bm25"):
        for state in ("cold", "warm"):
            if state == "cold":
                forget(directory)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                first, second, memory = pool.submit(first_search, directory, kind, model).result()
            print(f"{kind:6} {state}: first search {first:.2f} s, the next {1000 * second:.1f} ms, {memory:,.0f} MB")


def run(*command: object) -> tuple[Seconds, dict]:
    """Seconds of a command in a process, and what it says."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "opendpr", *map(str, command), "--json", "--precision", "fp32"],
        capture_output=True,
        check=True,
    )
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Seconds(clock, processor), json.loads(done.stdout)


def measure_readding(folder: Path, texts: Sequence[str], suffix: str, encoder: GivenVectors) -> None:
    """A folder of small files that did not change is added again, by `opendpr add`."""
    files = folder / f"files{suffix}"
    files.mkdir()
    for number, text in enumerate(texts):
        markup = f"<!DOCTYPE html><title>Page {number}</title><body><p>{text}</p></body>" if suffix == ".html" else text
        (files / f"{number:05}{suffix}").write_text(markup, encoding="utf-8")
    with open_writer(folder / f"notes{suffix}") as writer:
        add(writer, Corpus([files]), encoder)
    found = [run("add", folder / f"notes{suffix}", files) for _ in range(RUNS)]
    assert all(report["documents"] == {"unchanged": len(texts)} for _, report in found)
    print(f"{len(texts):,} unchanged {suffix} files added again: {spread([seconds for seconds, _ in found])}")


def measure_replacing(folder: Path, texts: Iterator[str], encoder: GivenVectors) -> None:
    """One document is replaced by `opendpr add`, among many and alone: the difference is what the many cost."""
    seconds = {}
    for documents in (1, BLOCK):
        directory = folder / f"replacing-{documents}"
        with open_writer(directory) as writer:
            add(writer, Corpus([write_jsonl(folder / "many.jsonl", texts, documents)]), encoder)
        found = [run("add", directory, write_jsonl(folder / "one.jsonl", texts, 1)) for _ in range(RUNS + 1)][1:]
        assert all(report["documents"] == {"replaced": 1} for _, report in found)
        seconds[documents] = [statistics.median(values) for values in zip(*(took for took, _ in found), strict=True)]
        print(f"1 of {documents:,} documents replaced: {spread([took for took, _ in found])}")
    clock, processor = (many - one for many, one in zip(seconds[BLOCK], seconds[1], strict=True))
    print(f"of that for the others, beside start and encoding: {clock:.2f} s, of processors {processor:.2f} s")


def spread(found: Sequence[Seconds]) -> str:
    clock, processor = zip(*found, strict=True)
    return (
        f"{statistics.median(clock):.2f} s ({min(clock):.2f} to {max(clock):.2f}), "
        f"of processors {statistics.median(processor):.2f} s"
    )


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=10_000, help="in the folder that is added again")
    args = parser.parse_args()
    folder = args.work / "collection"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = find_model(args.model)
    encoder, texts = GivenVectors(model, SEED), iter(Texts(SEED))
    print(json.dumps({"machine": describe(), "passages": args.passages, "dim": encoder.dim, "seed": SEED}))
    source = write_jsonl(folder / "documents.jsonl", texts, args.passages)
    measure_adding(folder / "notes", source, args.passages, encoder)
    measure_fetching(folder / "notes")
    measure_opening(folder / "notes", model)
    for suffix in (".txt", ".html"):
        measure_readding(folder, list(islice(texts, args.files)), suffix, encoder)
    measure_replacing(folder, texts, encoder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
