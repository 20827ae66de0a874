"""What a collection costs as it grows, beside what `opendpr plan` says: filling, optimizing, opening, searching.

Vectors are real ones and noised copies (noised.py), texts the first words of the passages, so that the plan's disk for
texts of 100 words does not apply. With --whole a collection is taken as it is and filled up with copies of its
passages, and the result is verified. Every step runs in a process of its own. Memory of a search is what it takes
beside the program, whose encoder is not loaded here.

    python -m experiments.speed.scale --rows 10000 100000 1000000
    python -m experiments.speed.scale --rows 10000 60000 --base 2000     # a few minutes
    python -m experiments.speed.scale --rows 1000000 --collection WIKIPEDIA --whole
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.command import command_line, parse
from experiments.common.machine import memory_megabytes
from experiments.common.noised import NOISED_COSINE, RealVectors, noised
from experiments.common.processes import directory_bytes, drop_cached_pages, in_process
from experiments.common.report import Report
from opendpr.collection import Collection, open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.verify import verify_store
from opendpr.maintenance.optimize import optimize
from opendpr.model.directory import find_model
from opendpr.search.bm25 import verify_bm25
from opendpr.search.cost import PROGRAM_BYTES, chosen, estimates
from opendpr.search.dense import built_index, verify_dense
from opendpr.search.exact import ExactIndex, scan
from opendpr.search.faiss import FAISS_THREADS
from opendpr.search.rates import build_seconds, measure_rates
from opendpr.search.snapshot import Snapshot, load_snapshot
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage, Vectors

SEED = 0
K = 100
COPIED_WORDS = 12
"""Words of a passage's text, if it is not whole."""
LIMITED_GROUP = Path("/sys/fs/cgroup/memory/opendpr-scale")
SINGLE_QUESTIONS = 200
"""Questions asked one by one."""
PIECE_VECTORS = 500_000


class Peak:
    """The most memory that this process takes alone, program included, read 20 times a second."""

    def __enter__(self) -> Peak:
        self.megabytes, self._done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self.megabytes = max(self.megabytes, memory_megabytes())

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()


class Filling(NamedTuple):
    """What to fill a collection with."""

    base: NDArray[np.float16]
    """Real vectors (n, d)."""
    passages: list[Passage]
    """The passages that the real vectors belong to."""
    model: str
    source: Path | None
    """Collection that the real vectors come from."""
    whole: bool
    """Whether to begin with that collection and copy whole texts."""


class Filled(NamedTuple):
    """What filling a collection took."""

    stored: int
    seconds: float
    """Spent in the store."""
    megabytes: float


def copies(filling: Filling, rows: int, done: int) -> Iterator[tuple[list[Document], Vectors]]:
    """Documents of one passage each with their vectors, in blocks, from number `done` on."""
    copied, splitter = cycle(filling.passages), Splitter(words=COPIED_WORDS)
    for block in noised(filling.base, rows, SEED, first=done):
        documents = []
        for number, passage in zip(range(done, done + len(block)), islice(copied, len(block)), strict=True):
            text = passage.text if filling.whole else passage.text[slice(*splitter.split(passage.text)[0])]
            words = text.strip().rpartition(" ")[0]  # one less, so that with the number it is one passage again
            documents.append(Document(f"copy-{number}", passage.title, f"{words} {number}"))
        yield documents, block.astype(np.float32)
        done += len(block)


def fill(directory: Path, rows: int, filling: Filling) -> Filled:
    """Store copies with given vectors, after those of a collection if it is taken as a whole."""
    model, seconds, already = find_model(filling.model), 0.0, 0
    if filling.whole and filling.source:
        with open_collection(filling.source) as collection:
            write_backup(collection, directory)
            already = collection.count_passages()
    done, splitter = already, None if filling.whole else Splitter(unit="whole")
    with Peak() as peak, open_writer(directory, splitter) as writer:
        row = writer.use_encoder(model.fingerprint, filling.base.shape[1], model=model.reference, runtime="noised")
        for documents, vectors in copies(filling, rows, already):
            started = time.perf_counter()
            writer.put_documents(documents)
            stored = list(islice(writer.passages_after(done), len(documents)))  # numbered from 1, none was removed
            writer.put_vectors(row, stored, vectors)
            seconds += time.perf_counter() - started
            done += len(documents)
        assert writer.count_passages() == rows
    return Filled(rows - already, seconds, peak.megabytes)


def improve(directory: Path) -> tuple[float, float, dict[str, float]]:
    """Seconds of `optimize`, megabytes at most, and when each stage began."""
    stages: dict[str, float] = {}
    started = time.perf_counter()

    def reached(what: str, done: int, total: int) -> None:
        stages.setdefault(what, time.perf_counter() - started)

    with Peak() as peak, open_writer(directory) as writer:
        optimize(writer, on_progress=reached)
    return time.perf_counter() - started, peak.megabytes, stages


def search(directory: Path, questions: Vectors, *, exactly: bool = True) -> dict[str, float]:
    """In a fresh process, files not in memory: the first search, then the median of others, and memory."""
    before, started = memory_megabytes(), time.perf_counter()
    with open_collection(directory) as collection:
        snapshot = load_snapshot(collection, ["dense"])
        snapshot.dense.search(questions[:1], K)
        first, milliseconds = time.perf_counter() - started, []
        for question in np.resize(questions, (2 * SINGLE_QUESTIONS, questions.shape[1])):
            started = time.perf_counter()
            snapshot.dense.search(question[None], K)
            milliseconds.append(1000 * (time.perf_counter() - started))
        figures = {
            "first search": first,
            "search p50": statistics.median(milliseconds[SINGLE_QUESTIONS:]),
            "search memory": memory_megabytes() - before,
        }
        return {**figures, "recall": recall(collection, snapshot, questions)} if exactly else figures


def search_within(directory: Path, questions: Vectors, bytes_of_memory: int) -> dict[str, float]:
    """The same where this process, pages of files included, may have only this much memory (Linux control groups)."""
    LIMITED_GROUP.mkdir(exist_ok=True)
    (LIMITED_GROUP / "memory.limit_in_bytes").write_text(str(bytes_of_memory))
    (LIMITED_GROUP / "cgroup.procs").write_text(str(os.getpid()))
    return search(directory, questions, exactly=False)


def recall(collection: Collection, snapshot: Snapshot, questions: Vectors) -> float:
    """Share of the best K of every vector in the store, read in pieces, that a search returns."""
    if isinstance(snapshot.dense, ExactIndex):
        return 1.0
    best = np.full((len(questions), K), -np.inf, np.float32)
    pieces = collection.vectors()
    while piece := list(islice(pieces, PIECE_VECTORS // 1_000)):
        numbers, vectors = (np.concatenate(column) for column in zip(*piece, strict=True))
        best = np.sort(np.hstack([best, scan(questions, K, numbers, stored=vectors).scores]), axis=1)[:, -K:]
    scores = snapshot.dense.search(questions, K).scores
    return float((scores >= best[:, :1] - 1e-5).mean())


def check(directory: Path) -> tuple[float, list[str]]:
    """Seconds to read every byte, and what is damaged."""
    started = time.perf_counter()
    with open_collection(directory) as collection:
        problems = [*verify_store(collection), *verify_bm25(collection), *verify_dense(collection)]
    return time.perf_counter() - started, problems


def add_searches(report: Report, name: str, figures: dict[str, float]) -> None:
    """Report the figures of `search`."""
    units = {"first search": "s", "search p50": "ms", "search memory": "MB", "recall": ""}
    for label, value in figures.items():
        report.add(f"{name}/{label}", value, units[label])


def add_plan(report: Report, rows: int, dim: int) -> None:
    """Report what the plan says of this size; memory is beside the program with its encoder, which is not loaded."""
    plan, rates = chosen(estimates(rows, dim, recall=0.95), rows, 10**15), measure_rates(rows, dim, (), None)
    seconds = build_seconds(plan.kind, rows, rates)
    report.add(f"{rows}/plan/build", seconds, "s")
    report.add(f"{rows}/plan/vectors built in", seconds - rows / rates.indexed_passages, "s")
    report.add(f"{rows}/plan/build memory", plan.build_memory_bytes / 1e6, "MB")
    report.add(f"{rows}/plan/index", plan.index_bytes / 1e9, "GB")
    report.add(f"{rows}/plan/search memory", (plan.memory_bytes - PROGRAM_BYTES) / 1e6, "MB")
    report.add(f"{rows}/plan/disk", plan.disk_bytes / 1e9, "GB")


def measure(report: Report, directory: Path, rows: int, questions: Vectors, args: argparse.Namespace) -> None:
    """All steps at one size, each in a process of its own."""
    add_plan(report, rows, args.filling.base.shape[1])
    stored, seconds, peak = in_process(fill, directory, rows, args.filling)
    report.add(f"{rows}/stored", stored / seconds, "/s")
    report.add(f"{rows}/storing memory", peak, "MB")
    seconds, peak, stages = in_process(improve, directory)
    words = stages.get("copying", seconds)
    report.add(f"{rows}/build", seconds, "s")
    report.add(f"{rows}/words built in", words, "s")
    report.add(f"{rows}/vectors built in", seconds - words, "s")
    report.add(f"{rows}/build memory", peak, "MB")
    report.add(
        f"{rows}/index", directory_bytes(directory / "dense") / 1e9 if (directory / "dense").exists() else 0, "GB"
    )
    with open_collection(directory) as collection:
        built = built_index(collection)
    if built:
        print(json.dumps({name: built.as_json()[name] for name in ("factory", "lists", "factor", "recall")}))
    drop_cached_pages(directory)
    add_searches(report, f"{rows}", in_process(search, directory, questions))
    if args.limit:
        drop_cached_pages(directory)
        figures = in_process(search_within, directory, questions, args.limit * 2**30)
        add_searches(report, f"{rows}/within {args.limit} GiB", figures)
    if args.whole:
        seconds, problems = in_process(check, directory)
        report.add(f"{rows}/verified in", seconds, "s")
        report.add(f"{rows}/problems", len(problems))
        report.add(f"{rows}/disk", directory_bytes(directory) / 1e9, "GB")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = command_line(__doc__, precision=None)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--base", type=int, default=29_440, help="real vectors")
    parser.add_argument("--collection", type=Path, help="whose vectors are the real ones")
    parser.add_argument("--whole", action="store_true", help="begin with that collection, copy whole texts; verify")
    parser.add_argument("--limit", type=int, metavar="GIB", help="search once more within this memory, files included")
    parser.add_argument("--questions", type=int, default=500)
    return parse(parser, arguments, rows=[200], base=100, questions=2)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_arguments(arguments)
    real = RealVectors(args.data, args.work, args.model)
    base, questions = real.passages(args.base, args.collection), real.questions(args.questions)
    if args.collection:
        with open_collection(args.collection) as collection:
            passages = list(collection.passages_after(0))
    else:
        passages = list(args.data.pool_passages("P150", len(base)))
    args.filling = Filling(base, passages, args.model, args.collection, args.whole)
    report = Report(args, threads=FAISS_THREADS, real=len(base), cosine_of_copies=NOISED_COSINE, seed=SEED)
    for rows in args.rows:
        directory = args.work / "scale"
        shutil.rmtree(directory, ignore_errors=True)
        measure(report, directory, rows, questions, args)
        shutil.rmtree(directory)
    report.write()


if __name__ == "__main__":
    main()
