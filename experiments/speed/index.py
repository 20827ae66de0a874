"""Recall and speed of the approximate index beside other indexes, and exact search beside the memory's limit.

Vectors are real ones and noised copies of them (noised.py), questions real. Each index is built here by all cores and
searched in a process of its own: question by question on one thread, all files in the page cache.

    python -m experiments.speed.index --rows 1000000
    python -m experiments.speed.index --rows 100000 --base 2000 --only opendpr     # a few minutes
"""

from __future__ import annotations

import json
import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from experiments.common.data import arguments
from experiments.common.machine import describe, memory_megabytes
from experiments.common.noised import COSINE, base_vectors, question_vectors, write_vectors
from experiments.peers.indexes import SYSTEMS, installed
from opendpr.search.exact import ExactIndex

SEED = 0
K = 100
LEAST_SECONDS = 3.0
"""For which questions are asked one by one."""
BATCH = 10_000
RECALL = 0.95
"""What the batch is searched with, at least."""
COPY_BYTES = 400_000_000
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def megabytes(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def measure(
    name: str, vectors_path: Path, shape: tuple[int, int], path: Path, threads: int, effort: object = None
) -> object:
    """In a process of its own: on one thread a line for each effort; on several, a batch with the effort given.

    Returns:
        The fastest effort that reaches `RECALL`.
    """
    system = next(system for system in SYSTEMS if system.name == name)
    before = memory_megabytes()
    vectors = np.memmap(vectors_path, np.float16, "r", shape=shape).view(np.ndarray)
    questions, truth = np.load(path.parent / "questions.npy"), np.load(path.parent / "truth.npy")
    started = time.perf_counter()
    search = system.open(vectors, path)
    opened, memory = time.perf_counter() - started, memory_megabytes() - before
    if threads > 1:
        many = np.resize(questions, (BATCH, shape[1]))
        started = time.perf_counter()
        search(many, K, effort)
        rate = BATCH / (time.perf_counter() - started)
        print(
            f"{name:16} {effort!s:12} {BATCH:,} questions at once, {threads} threads: {rate:,.0f} questions/s",
            flush=True,
        )
        return effort
    print(f"{name:16} opened in {opened:.2f} s, {memory:,.0f} MB of memory")
    rates: dict[object, float] = {}
    for effort in system.efforts:
        found = [search(questions[n : n + 1], K, effort)[0] for n in range(len(questions))]  # warms up, too
        recall = np.mean([len(np.intersect1d(one, right)) / K for one, right in zip(found, truth, strict=True)])
        seconds, asked, started = 0.0, 0, time.perf_counter()
        while seconds < LEAST_SECONDS:
            search(questions[asked % len(questions)][None], K, effort)
            asked, seconds = asked + 1, time.perf_counter() - started
        print(f"{name:16} {effort!s:12} recall@{K} {recall:.3f}, {asked / seconds:>8,.0f} questions/s", flush=True)
        if recall >= RECALL or not rates:
            rates[effort] = asked / seconds if recall >= RECALL else 0.0
    return max(rates, key=lambda one: rates[one])


def in_a_process(name: str, vectors_path: Path, shape, path: Path, threads: int, effort: object = None) -> object:
    for variable in THREADS:
        os.environ[variable] = str(threads)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(measure, name, vectors_path, shape, path, threads, effort).result()
    for variable in THREADS:
        del os.environ[variable]
    return found


def read_bandwidth() -> float:
    """Bytes a second that numpy reads of memory, on one thread."""
    block = np.ones(COPY_BYTES // 8)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        block.sum()
        seconds.append(time.perf_counter() - started)
    return COPY_BYTES / min(seconds)


def measure_exact(vectors: np.ndarray, questions: np.ndarray) -> np.ndarray:
    """One pass for all questions, whose neighbours are returned (Q, K), and the rate of single questions."""
    index = ExactIndex(np.arange(len(vectors)), np.array(vectors))
    started = time.perf_counter()
    truth = index.search(questions, K).numbers
    passed = time.perf_counter() - started
    seconds = []
    for question in questions[:5]:
        started = time.perf_counter()
        index.search(question[None], K)
        seconds.append(time.perf_counter() - started)
    read, limit = vectors.nbytes / min(seconds), read_bandwidth()
    print(f"exact: {len(questions):,} questions in one pass {passed:.1f} s; one question {1000 * min(seconds):.0f} ms")
    print(f"exact: that reads {read / 1e9:.1f} GB/s, one thread sums up memory at {limit / 1e9:.1f} GB/s", flush=True)
    return truth


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--base", type=int, default=29_440, help="real vectors")
    parser.add_argument("--collection", type=Path, help="whose vectors are the real ones")
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--only", nargs="*", help="names of systems")
    args = parser.parse_args()
    base = base_vectors(args.work, args.model, args.base, args.collection)
    questions = question_vectors(args.work, args.model, args.questions)
    folder = args.work / "index"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    vectors_path = folder / "vectors.f16"
    vectors = write_vectors(vectors_path, base, args.rows, SEED)
    real = {"rows": len(vectors), "real": len(base), "cosine of copies": COSINE, "questions": len(questions)}
    print(json.dumps({"machine": describe(), "dim": base.shape[1], **real, "seed": SEED}), flush=True)
    np.save(folder / "questions.npy", questions)
    np.save(folder / "truth.npy", measure_exact(vectors, questions))
    for system in installed():
        if args.only and system.name not in args.only:
            continue
        path, started = folder / system.name.replace(" ", "-"), time.perf_counter()
        system.build(vectors, path)
        print(f"{system.name:16} built in {time.perf_counter() - started:.0f} s, {megabytes(path):,.0f} MB", flush=True)
        effort = in_a_process(system.name, vectors_path, vectors.shape, path, 1)
        in_a_process(system.name, vectors_path, vectors.shape, path, os.cpu_count() or 1, effort)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
