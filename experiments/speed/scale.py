"""What a collection costs as it grows, beside what `opendpr plan` says of it: filling, optimizing, opening, searching.

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
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.data import arguments, pool_passages
from experiments.common.machine import describe, memory_megabytes
from experiments.common.noised import COSINE, base_vectors, noised, question_vectors
from experiments.speed.collection import forget
from opendpr.collection import open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.verify import verify_store
from opendpr.maintenance.add import optimize
from opendpr.model.directory import find_model
from opendpr.search.bm25 import verify_bm25
from opendpr.search.cost import PROGRAM_BYTES, WORDS_SECONDS, Machine, chosen, estimates
from opendpr.search.dense import dense_record, verify_dense
from opendpr.search.exact import ExactIndex, scan
from opendpr.search.faiss import THREADS
from opendpr.search.rates import matrix_flops
from opendpr.search.retrievers import Snapshot
from opendpr.text.splitting import Splitter
from opendpr.types import Document

SEED = 0
K = 100
WORDS = 12
"""Of a passage's text, if it is not whole."""
LIMITED = Path("/sys/fs/cgroup/memory/opendpr-scale")
SINGLE = 200
"""Questions asked one by one."""
PIECE = 500_000


class Peak:
    """The most memory of its own that this process takes, program included, looked at 20 times a second."""

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


class Filled(NamedTuple):
    stored: int
    seconds: float
    """In the store."""
    megabytes: float


def fill(directory: Path, base: np.ndarray, rows: int, model: str, source: Path | None, whole: bool) -> Filled:
    """Documents of one passage each with given vectors, after those of a collection if it is taken as a whole."""
    found, done, seconds, splitter = find_model(model), 0, 0.0, Splitter(words=WORDS)
    if source:
        with open_collection(source) as collection:
            passages = list(collection.passages_after(0))
            if whole:
                write_backup(collection, directory)
                done = len(passages)
    else:
        passages = list(islice(pool_passages("P150"), len(base)))
    already, copied = done, cycle(passages)
    with Peak() as peak, open_writer(directory, None if whole else Splitter(unit="whole")) as writer:
        row = writer.use_encoder(found.fingerprint, base.shape[1], model=found.reference, runtime="noised")
        for block in noised(base, rows, SEED, first=done):
            documents = []
            for number, of in zip(range(done, done + len(block)), islice(copied, len(block)), strict=True):
                text = of.text if whole else of.text[slice(*splitter.split(of.text)[0])]
                words = text.strip().rpartition(" ")[0]  # one less, so that with the number it is one passage again
                documents.append(Document(f"copy-{number}", of.title, f"{words} {number}"))
            started = time.perf_counter()
            writer.put_documents(documents)
            stored = list(islice(writer.passages_after(done), len(block)))  # numbered from 1, none was removed
            writer.put_vectors(row, stored, block.astype(np.float32))
            seconds += time.perf_counter() - started
            done += len(block)
        assert writer.count_passages() == rows
    return Filled(rows - already, seconds, peak.megabytes)


def improve(directory: Path) -> tuple[float, float, dict[str, float]]:
    """Seconds of `optimize`, megabytes at most, and when each stage began."""
    stages: dict[str, float] = {}
    started = time.perf_counter()
    with Peak() as peak, open_writer(directory) as writer:
        optimize(writer, on_progress=lambda what, done, total: stages.setdefault(what, time.perf_counter() - started))
    return time.perf_counter() - started, peak.megabytes, stages


def search(directory: Path, questions: np.ndarray, *, exactly: bool = True) -> dict[str, float]:
    """In a fresh process, files not in memory: the first search, then the median of others, and memory."""
    before, started = memory_megabytes(), time.perf_counter()
    with open_collection(directory) as collection:
        snapshot = Snapshot(collection)
        snapshot.dense.search(questions[:1], K)
        first, milliseconds = time.perf_counter() - started, []
        for question in np.resize(questions, (2 * SINGLE, questions.shape[1])):
            started = time.perf_counter()
            snapshot.dense.search(question[None], K)
            milliseconds.append(1000 * (time.perf_counter() - started))
        found = {
            "first search s": first,
            "p50 ms": statistics.median(milliseconds[SINGLE:]),
            "memory MB": memory_megabytes() - before,
        }
        return {**found, "recall": recall(collection, snapshot, questions)} if exactly else found


def search_within(directory: Path, questions: np.ndarray, bytes_of_memory: int) -> dict[str, float]:
    """The same where this process, with its pages of files, may have only so much memory (control groups of Linux)."""
    LIMITED.mkdir(exist_ok=True)
    (LIMITED / "memory.limit_in_bytes").write_text(str(bytes_of_memory))
    (LIMITED / "cgroup.procs").write_text(str(os.getpid()))
    return search(directory, questions, exactly=False)


def recall(collection, snapshot: Snapshot, questions: np.ndarray) -> float:
    """Of the best K, against every vector of the store, read in pieces."""
    if isinstance(snapshot.dense, ExactIndex):
        return 1.0
    best = np.full((len(questions), K), -np.inf, np.float32)
    pieces = collection.vectors()
    while piece := list(islice(pieces, PIECE // 1_000)):
        numbers, vectors = (np.concatenate(each) for each in zip(*piece, strict=True))
        best = np.sort(np.hstack([best, scan(questions, K, numbers, vectors).scores]), axis=1)[:, -K:]
    found = snapshot.dense.search(questions, K).scores
    return float((found >= best[:, :1] - 1e-5).mean())


def in_a_process(step, *of):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(step, *of).result()


def gigabytes(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1e9


def figures(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,.3f}" for name, value in found.items())


def _beside(planned: int) -> str:
    """What a plan says beside the program with its encoder, which is not part of what is measured here."""
    return f"{(planned - PROGRAM_BYTES) / 1e6:,.0f} MB"


def check(directory: Path) -> tuple[float, list[str]]:
    """Seconds to read every byte, and what is damaged."""
    started = time.perf_counter()
    with open_collection(directory) as collection:
        problems = [*verify_store(collection), *verify_bm25(collection), *verify_dense(collection)]
    return time.perf_counter() - started, problems


def measure(directory: Path, base: np.ndarray, rows: int, questions: np.ndarray, args: argparse.Namespace) -> None:
    """All steps at one size, each beside the plan."""
    offers = estimates(rows, base.shape[1], Machine(matrix_flops(), 1.0), to_encode=0, recall=0.95)
    plan = chosen(offers, rows, 10**15)
    stored, seconds, peak = in_a_process(fill, directory, base, rows, args.model, args.collection, args.whole)
    disk = gigabytes(directory)
    print(f"{rows:>11,} stored: {stored / seconds:,.0f} a second, memory in all {peak:,.0f} MB, {disk:.2f} GB")
    seconds, peak, stages = in_a_process(improve, directory)
    began = ", ".join(f"{what} at {at:.0f} s" for what, at in stages.items())
    all_planned = f"plan {plan.build_seconds:.0f} s, for texts of 100 words"
    print(f"{rows:>11,} optimized to {plan.kind}: {seconds:.0f} s ({all_planned})")
    words = stages.get("copying", seconds)
    planned = plan.build_seconds - rows * WORDS_SECONDS
    print(f"{'':11} of which vectors {seconds - words:.0f} s (plan {planned:.0f} s); {began}")
    print(f"{'':11} memory in all {peak:,.0f} MB (plan {plan.build_memory_bytes / 1e6:,.0f} MB)")
    index = gigabytes(directory / "dense") if (directory / "dense").exists() else 0.0
    print(f"{'':11} index {index:.3f} GB of disk (plan {plan.index_bytes / 1e9:.3f} GB)", flush=True)
    with open_collection(directory) as collection:
        record = dense_record(collection)
    if record:
        kept = {name: record[name] for name in ("factory", "lists", "factor", "recall")}
        print(f"{'':11} {json.dumps(kept)}")
    forget(directory)
    found = in_a_process(search, directory, questions)
    print(f"{'':11} {figures(found)} (plan: memory {_beside(plan.memory_bytes)})", flush=True)
    if args.limit:
        forget(directory)
        found = in_a_process(search_within, directory, questions, args.limit * 2**30)
        print(f"{'':11} within {args.limit} GiB: {figures(found)}", flush=True)
    if args.whole:
        seconds, problems = in_a_process(check, directory)
        print(f"{'':11} verified in {seconds:.0f} s: {problems or 'whole'}", end="; ")
        print(f"{gigabytes(directory):.2f} GB in all (plan {plan.disk_bytes / 1e9:.2f} GB)", flush=True)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--base", type=int, default=29_440, help="real vectors")
    parser.add_argument("--collection", type=Path, help="whose vectors are the real ones")
    parser.add_argument("--whole", action="store_true", help="begin with that collection, copy whole texts; verify")
    parser.add_argument("--limit", type=int, metavar="GIB", help="search once more with so much memory, files included")
    parser.add_argument("--questions", type=int, default=500)
    args = parser.parse_args()
    base = base_vectors(args.work, args.model, args.base, args.collection)
    questions = question_vectors(args.work, args.model, args.questions)
    real = {"real": len(base), "cosine of copies": COSINE, "questions": len(questions)}
    print(
        json.dumps({"machine": describe(), "threads": THREADS, "dim": base.shape[1], **real, "seed": SEED}), flush=True
    )
    for rows in args.rows:
        directory = args.work / "scale"
        shutil.rmtree(directory, ignore_errors=True)
        measure(directory, base, rows, questions, args)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
