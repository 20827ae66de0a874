"""Encoding by workers of a Ray cluster beside `opendpr encode` in one process, and what a lost machine costs.

Three Ray nodes run on this machine: a head without processors, and two that work. All share the cores that the one
process has for itself, so what is measured is what the cluster costs, not what more machines bring. Each way encodes
the same stored passages in turn, round by round, as a command from its start to its end; ratios are taken round by
round. In every round a node is killed besides, once two workers have done a third; every second time another joins.

    python -m experiments.speed.cluster_encode --passages 20000
    python -m experiments.speed.cluster_encode --passages 2000 --rounds 1     # some minutes
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.command import Missing, command_line, parse, require
from experiments.common.encoded import encoded_so_far, stored_vectors
from experiments.common.pools import build_words
from experiments.common.ray_cluster import ADDRESS, Namespace, RayCluster, wait_until
from experiments.common.report import Report
from opendpr.collection import open_collection

WORKERS = (1, 2)


class Took(NamedTuple):
    """Seconds of a command."""

    whole: float
    first: float
    """Until the first vectors were stored."""


class Encoding:
    """Encodes a copy of the same collection, in one way after the other.

    Args:
        stored: the collection without vectors
    """

    def __init__(self, args: argparse.Namespace, cluster: RayCluster, stored: Path) -> None:
        self._cluster, self._stored, self._copy = cluster, stored, args.work / "cluster-encode"
        self._options = ("-m", args.model, "--precision", args.precision)
        with open_collection(stored) as collection:
            self.passages = collection.count_passages()

    def run(self, workers: int, *, killed: bool = False, replaced: bool = False) -> Took:
        """Encode by one process, if there are no workers, or by those.

        Args:
            killed: whether a node is killed once a third is done
            replaced: whether another joins then
        """
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self._stored, self._copy)
        on = ("--on", ADDRESS, "--workers", workers) if workers else ()
        started = time.perf_counter()
        process = self._cluster.start("encode", self._copy, *self._options, *on)
        self._wait(process, 1)
        first = time.perf_counter() - started
        if killed:
            self._wait(process, self.passages // 3)
            self._cluster.kill(self._cluster.nodes.pop())
            if replaced:
                self._cluster.nodes.append(self._cluster.join())
        if process.wait():
            raise SystemExit(f"encoding failed:\n{self._cluster.why()}")
        took = Took(time.perf_counter() - started, first)
        if killed and not replaced:
            self._cluster.nodes.append(self._cluster.join())
        self._cluster.settle()
        return took

    def vectors(self) -> bytes:
        """What the last run stored."""
        return stored_vectors(self._copy).tobytes()

    def close(self) -> None:
        shutil.rmtree(self._copy, ignore_errors=True)

    def _wait(self, process: subprocess.Popen[bytes], count: int) -> None:
        wait_until(lambda: encoded_so_far(self._copy) >= count or process.poll() is not None)


def measure(report: Report, encoding: Encoding, rounds: int) -> None:
    """All ways in turn, in every round; the first run of all is thrown away."""
    encoding.run(1)
    figures, same = defaultdict[str, list[float]](list), list[bool]()
    for number in range(rounds):
        plain = encoding.run(0)
        vectors = encoding.vectors()
        figures["plain"].append(plain.whole)
        figures["plain/first"].append(plain.first)
        for workers in WORKERS:
            took = encoding.run(workers)
            same.append(encoding.vectors() == vectors)
            figures[f"workers {workers}"].append(took.whole)
            figures[f"workers {workers}/first"].append(took.first)
            figures[f"workers {workers}/times plain"].append(took.whole / plain.whole)
        replaced = bool(number % 2)
        lost = encoding.run(WORKERS[-1], killed=True, replaced=replaced).whole - took.whole
        same.append(encoding.vectors() == vectors)
        figures["killed and replaced/lost" if replaced else "killed/lost"].append(lost)
    for name, values in figures.items():
        report.add_spread(name, values, "" if name.endswith("plain") and "/" in name else "s")
    report.add("same bits", float(np.mean(same)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=4)
    args = parse(parser, arguments, passages=1_100, rounds=1)
    for module, package in (("ray", "'opendpr[ray]'"), ("psutil", "psutil")):
        require(module, package)
    if reason := Namespace.missing():
        raise Missing(reason)
    stored = build_words(args.work / f"stored-{args.passages}", args.data.documents(args.passages))
    report = Report(args, passages=args.passages, rounds=args.rounds)
    cluster = RayCluster(nodes=len(WORKERS))
    encoding = Encoding(args, cluster, stored)
    try:
        measure(report, encoding, args.rounds)
    finally:
        encoding.close()
        cluster.close()
    report.write()


if __name__ == "__main__":
    main()
