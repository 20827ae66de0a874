"""What the store costs beside encoding: adding, fetching, opening, and bringing up to date.

Documents are of one passage each, the dearest case; their vectors are given, not computed. Everything
else is what `opendpr add` does: reading a JSONL file, storing, and writing the BM25 cache.

    python -m experiments.speed.collection --passages 1000000
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.common.command import command_line, parse
from experiments.common.machine import memory_megabytes
from experiments.common.processes import directory_bytes, drop_cached_pages, in_process
from experiments.common.report import Report
from experiments.common.synthetic import Texts, given_encoder, write_jsonl
from opendpr.collection import open_collection, open_writer
from opendpr.corpus import Corpus
from opendpr.maintenance.add import add_documents
from opendpr.model.directory import Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.search.bm25 import BM25_DIRECTORY
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever, DenseRetriever
from opendpr.types import Document

SEED = 0
BLOCK_PASSAGES = 100_000
"""Passages between two lines of the report."""
FETCHED_PASSAGES = 100
FETCHES = 200
COMMAND_RUNS = 5
QUESTION = "When was the first railway station of the city opened by the company?"


class Seconds(NamedTuple):
    """Time by the clock and of the processor, which says more on a machine that others use."""

    clock: float
    processor: float


class Meter:
    """Prints rates and memory for every block of passages, and keeps the rate of the whole."""

    def __init__(self, name: str) -> None:
        self.name, self.done, self.since = name, 0, now()
        self.began = self.since

    def reached(self, done: int, total: int) -> None:
        """Print a line if a block, or everything, is done."""
        if done // BLOCK_PASSAGES > self.done // BLOCK_PASSAGES or done == total:
            spans = zip(now(), self.since, strict=True)
            clock, processor = ((done - self.done) / max(end - start, 1e-9) for end, start in spans)
            rates = f"{clock:>9,.0f} {processor:>9,.0f}"
            print(f"{self.name:8} {done:>10,} {rates} {memory_megabytes():>7,.0f} MB", flush=True)
            self.done, self.since = done, now()

    def rate(self) -> float:
        """Passages a second from first to last, by the clock."""
        return self.done / max(self.since.clock - self.began.clock, 1e-9)


def now() -> Seconds:
    return Seconds(time.perf_counter(), time.process_time())


def measure_adding(report: Report, directory: Path, source: Path, *, passages: int, encoder: BertEncoder) -> None:
    """Rate and memory of the two passes of `add` over the passages, and of BM25 between them."""
    print(f"{'':8} {'passages':>10} {'a second':>9} {'of CPU':>9} {'memory':>10}")
    stored, together, later = Meter("stored"), Meter("together"), list[Meter]()

    def documents() -> Iterator[Document]:
        for done, document in enumerate(Corpus([source]), start=1):
            yield document
            stored.reached(done, passages)
        report.add("storing/memory", memory_megabytes(), "MB")
        later.append(Meter("bm25"))

    def progress(done: int, total: int) -> None:
        if len(later) == 1:  # the first batch of vectors: before it, BM25 was brought up to date
            later[0].reached(passages, passages)
            later.append(Meter("vectors"))
        later[1].reached(done, total)

    with open_writer(directory) as writer:
        add_documents(writer, documents(), encoder, on_progress=progress)
    together.reached(passages, passages)
    for meter in (stored, *later, together):
        report.add(f"{meter.name}/rate", meter.rate(), "/s")
    report.add("memory", memory_megabytes(), "MB")
    bm25 = directory_bytes(directory / BM25_DIRECTORY)
    report.add("collection/disk", (directory_bytes(directory) - bm25) / 1e6, "MB")
    report.add("bm25/disk", bm25 / 1e6, "MB")


def measure_fetching(report: Report, directory: Path) -> None:
    """Milliseconds for 100 passages anywhere in the collection, read before."""
    generator, milliseconds = np.random.default_rng(SEED), []
    with open_collection(directory) as collection:
        last = collection.counts()["passages"]
        draws = generator.integers(1, last + 1, (FETCHES, FETCHED_PASSAGES)).tolist()
        for counted in (False, True):
            for numbers in draws:
                started = time.perf_counter()
                collection.passages(numbers)
                if counted:
                    milliseconds.append(1000 * (time.perf_counter() - started))
    report.add("fetching/p50", statistics.median(milliseconds), "ms")
    report.add("fetching/p95", float(np.percentile(milliseconds, 95)), "ms")


def first_search(directory: Path, kind: str, model: Model) -> tuple[float, float, float]:
    """Seconds from opening to the first passages, seconds of a second search, megabytes then."""
    encoder, before = given_encoder(model, SEED), memory_megabytes()
    started = time.perf_counter()
    with open_collection(directory) as collection:
        live = LiveSnapshot(collection)
        retriever = DenseRetriever(live, encoder) if kind == "dense" else Bm25Retriever(live)
        retriever.retrieve([QUESTION], FETCHED_PASSAGES)
        opened = time.perf_counter()
        retriever.retrieve([QUESTION], FETCHED_PASSAGES)
        return opened - started, time.perf_counter() - opened, memory_megabytes() - before


def measure_opening(report: Report, directory: Path, model: Model) -> None:
    """The first search of each retriever in a fresh process, with and without the files in memory."""
    for kind in ("dense", "bm25"):
        for state in ("cold", "warm"):
            if state == "cold":
                drop_cached_pages(directory)
            first, second, memory = in_process(first_search, directory, kind, model)
            report.add(f"{kind}/{state}/first search", first, "s")
            report.add(f"{kind}/{state}/next search", 1000 * second, "ms")
            report.add(f"{kind}/{state}/memory", memory, "MB")
            print(f"{kind:6} {state}: first search {first:.2f} s, the next {1000 * second:.1f} ms, {memory:,.0f} MB")


def run(*command: object) -> tuple[Seconds, dict[str, Any]]:
    """Seconds of a command in a process, and its JSON."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "opendpr", *map(str, command), "--json", "--precision", "fp32"],
        capture_output=True,
        check=True,
    )
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Seconds(clock, processor), json.loads(done.stdout)


def measure_readding(report: Report, folder: Path, texts: Sequence[str], suffix: str, encoder: BertEncoder) -> None:
    """A folder of small files that did not change is added again, by `opendpr add`."""
    files = folder / f"files{suffix}"
    files.mkdir()
    for number, text in enumerate(texts):
        markup = f"<!DOCTYPE html><title>Page {number}</title><body><p>{text}</p></body>" if suffix == ".html" else text
        (files / f"{number:05}{suffix}").write_text(markup, encoding="utf-8")
    with open_writer(folder / f"notes{suffix}") as writer:
        add_documents(writer, Corpus([files]), encoder)
    runs = [run("add", folder / f"notes{suffix}", files) for _ in range(COMMAND_RUNS)]
    assert all(summary["documents"] == {"unchanged": len(texts)} for _, summary in runs)
    add_seconds(report, f"unchanged {suffix}", [seconds for seconds, _ in runs])


def measure_replacing(report: Report, folder: Path, texts: Iterator[str], *, many: int, encoder: BertEncoder) -> None:
    """One document is replaced by `opendpr add`, among many and alone: the difference is the cost of the many."""
    medians = []
    for documents in (1, many):
        directory = folder / f"replacing-{documents}"
        with open_writer(directory) as writer:
            add_documents(writer, Corpus([write_jsonl(folder / "many.jsonl", texts, documents)]), encoder)
        commands = (write_jsonl(folder / "single.jsonl", texts, 1) for _ in range(COMMAND_RUNS + 1))
        runs = [run("add", directory, source) for source in commands][1:]
        assert all(summary["documents"] == {"replaced": 1} for _, summary in runs)
        medians.append(add_seconds(report, f"replaced among {documents}", [seconds for seconds, _ in runs]))
    report.add("replaced/beside encoding", medians[1] - medians[0], "s")


def add_seconds(report: Report, name: str, seconds: Sequence[Seconds]) -> float:
    """Report the clock's spread and the processor's median; returns the clock's median."""
    median, low, high = report.add_spread(name, [value.clock for value in seconds], "s")
    processor = statistics.median(value.processor for value in seconds)
    report.add(f"{name}/processor", processor, "s")
    print(f"{name}: {median:.2f} s ({low:.2f} to {high:.2f}), of processors {processor:.2f} s")
    return median


def measure(args: argparse.Namespace, folder: Path, report: Report) -> None:
    """Everything, in a folder that is deleted afterwards."""
    model = find_model(args.model)
    encoder, texts = given_encoder(model, SEED), iter(Texts(args.data, SEED))
    source = write_jsonl(folder / "documents.jsonl", texts, args.passages)
    measure_adding(report, folder / "notes", source, passages=args.passages, encoder=encoder)
    measure_fetching(report, folder / "notes")
    measure_opening(report, folder / "notes", model)
    if not args.commands:
        return
    for suffix in (".txt", ".html"):
        measure_readding(report, folder, list(islice(texts, args.files)), suffix, encoder)
    measure_replacing(report, folder, texts, many=args.replaced_among, encoder=encoder)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, precision=None)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=10_000, help="in the folder that is added again")
    parser.add_argument("--replaced-among", type=int, default=100_000, help="documents beside the one replaced")
    parser.add_argument("--commands", action=argparse.BooleanOptionalAction, default=True, help="time whole commands")
    args = parse(parser, arguments, passages=200, files=4, replaced_among=20, commands=False)
    folder = args.work / "collection"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    report = Report(args, seed=SEED)
    measure(args, folder, report)
    report.write()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
