"""Recall and speed of the approximate index beside other indexes, and exact search beside the rate of memory.

Vectors are real ones and noised copies of them (noised.py), questions real. Each index is built here by all cores and
searched in a process of its own: question by question on one thread, all files in the page cache.

    python -m experiments.speed.index --rows 1000000
    python -m experiments.speed.index --rows 100000 --base 2000 --only opendpr     # a few minutes
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.common.command import command_line, parse
from experiments.common.machine import memory_megabytes
from experiments.common.noised import NOISED_COSINE, RealVectors, write_vectors
from experiments.common.processes import directory_bytes, in_process, threads
from experiments.common.report import Report
from experiments.peers.indexes import SYSTEMS, Mapped, Search, installed
from opendpr.search.exact import ExactIndex
from opendpr.types import Numbers, Vectors

SEED = 0
K = 100
SINGLE_SECONDS = 3.0
"""Least time for which questions are asked one by one."""
WANTED_RECALL = 0.95
"""The batch is searched with the fastest effort that reaches it."""
SUMMED_BYTES = 400_000_000
Figures = dict[str, tuple[float, str]]
"""Name -> value and unit."""


def load_case(path: Path, shape: tuple[int, int]) -> tuple[Mapped, Vectors, Numbers]:
    """The vectors, the questions and the true neighbours beside an index."""
    vectors = np.memmap(path.parent / "vectors.f16", np.float16, "r", shape=shape).view(np.ndarray)
    return vectors, np.load(path.parent / "questions.npy"), np.load(path.parent / "truth.npy")


def single_rate(search: Search, questions: Vectors, effort: object, seconds: float) -> float:
    """Questions a second, asked one by one for some seconds."""
    count, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds or not count:
        search(questions[count % len(questions)][None], K, effort)
        count += 1
    return count / passed


def measure_single(name: str, path: Path, shape: tuple[int, int], seconds: float) -> tuple[Any, Figures]:
    """On one thread, recall and rate of each effort; returns the fastest effort with `WANTED_RECALL`."""
    system = next(system for system in SYSTEMS if system.name == name)
    before, (vectors, questions, truth) = memory_megabytes(), load_case(path, shape)
    started = time.perf_counter()
    search = system.open(vectors, path)
    figures: Figures = {"opened in": (time.perf_counter() - started, "s")}
    figures["memory"] = memory_megabytes() - before, "MB"
    rates: dict[Any, float] = {}
    for effort in system.efforts:
        rows = [search(questions[n : n + 1], K, effort)[0] for n in range(len(questions))]  # warms up, too
        recall = float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(rows, truth, strict=True)]))
        rate = single_rate(search, questions, effort, seconds)
        figures[f"{effort}/recall@{K}"], figures[f"{effort}/single"] = (recall, ""), (rate, "/s")
        print(f"{name:16} {effort!s:12} recall@{K} {recall:.3f}, {rate:>8,.0f} questions/s", flush=True)
        if recall >= WANTED_RECALL or not rates:
            rates[effort] = rate if recall >= WANTED_RECALL else 0.0
    return max(rates, key=lambda effort: rates[effort]), figures


def measure_batch(name: str, path: Path, shape: tuple[int, int], *, effort: object, batch: int) -> float:
    """Questions a second of a batch, on all threads."""
    system = next(system for system in SYSTEMS if system.name == name)
    vectors, questions, _ = load_case(path, shape)
    search, many = system.open(vectors, path), np.resize(questions, (batch, shape[1]))
    started = time.perf_counter()
    search(many, K, effort)
    return batch / (time.perf_counter() - started)


def summing_rate() -> float:
    """Bytes a second of memory that numpy sums up, on one thread."""
    block, seconds = np.ones(SUMMED_BYTES // 8), []
    for _ in range(5):
        started = time.perf_counter()
        block.sum()
        seconds.append(time.perf_counter() - started)
    return SUMMED_BYTES / min(seconds)


def measure_exact(report: Report, vectors: Mapped, questions: Vectors) -> Numbers:
    """One pass for all questions, whose neighbours are returned (Q, K), and the rate of single questions."""
    index = ExactIndex(np.arange(len(vectors)), np.array(vectors))
    started = time.perf_counter()
    truth = index.search(questions, K).numbers
    report.add("exact/all questions", time.perf_counter() - started, "s")
    seconds = []
    for question in questions[:5]:
        started = time.perf_counter()
        index.search(question[None], K)
        seconds.append(time.perf_counter() - started)
    report.add("exact/single", 1000 * min(seconds), "ms")
    report.add("exact/read", vectors.nbytes / min(seconds) / 1e9, "GB/s")
    report.add("memory read by numpy", summing_rate() / 1e9, "GB/s")
    return truth


def measure_system(report: Report, name: str, folder: Path, vectors: Mapped, args: argparse.Namespace) -> None:
    """Build, search one by one and search a batch, each where nothing else is in memory."""
    system = next(system for system in SYSTEMS if system.name == name)
    path, started = folder / name.replace(" ", "-"), time.perf_counter()
    system.build(vectors, path)
    report.add(f"{name}/built in", time.perf_counter() - started, "s")
    report.add(f"{name}/disk", directory_bytes(path) / 1e6, "MB")
    shape = (len(vectors), vectors.shape[1])
    with threads(1):
        effort, figures = in_process(measure_single, name, path, shape, args.seconds)
    for label, (value, unit) in figures.items():
        report.add(f"{name}/{label}", value, unit)
    with threads(os.cpu_count() or 1):
        report.add(f"{name}/batch", in_process(measure_batch, name, path, shape, effort=effort, batch=args.batch), "/s")
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, precision=None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--base", type=int, default=29_440, help="real vectors")
    parser.add_argument("--collection", type=Path, help="whose vectors are the real ones")
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--batch", type=int, default=10_000, help="questions asked at once")
    parser.add_argument("--seconds", type=float, default=SINGLE_SECONDS, help="of single questions for each effort")
    parser.add_argument("--only", nargs="*", help="names of systems")
    tiny = {"rows": 2_000, "base": 100, "questions": 4, "batch": 8, "seconds": 0.01, "only": ["opendpr"]}
    args = parse(parser, arguments, **tiny)
    real = RealVectors(args.data, args.work, args.model)
    base, questions = real.passages(args.base, args.collection), real.questions(args.questions)
    folder = args.work / "index"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    vectors = write_vectors(folder / "vectors.f16", base, args.rows, SEED)
    report = Report(args, rows=len(vectors), real=len(base), cosine_of_copies=NOISED_COSINE, seed=SEED)
    np.save(folder / "questions.npy", questions)
    np.save(folder / "truth.npy", measure_exact(report, vectors, questions))
    for system in installed():
        if not args.only or system.name in args.only:
            measure_system(report, system.name, folder, vectors, args)
    shutil.rmtree(folder)
    report.write()


if __name__ == "__main__":
    main()
