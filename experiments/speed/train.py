"""Pairs a second and peak memory of encoder training, beside sentence-transformers' cached loss on the same pairs.

Both train all-MiniLM-L6-v2 on a CPU in bf16 with AdamW, clipped gradients and the dropout that they
have by default, each in a process of its own, so that its peak of memory is its own. They take turns,
round by round; ratios are of the two in one round. sentence-transformers has the fastest of the
mini-batches given, tried before on batches of at most 128. Its texts are `title [SEP] text`, cut
where ours are; only a passage that a batch has twice is encoded once here and twice there.

The share of the peak counts 6 operations for each token without padding and each parameter that is
no embedding, so neither attention's products nor what a cache of gradients computes twice.

opendpr keeps the graphs that fit the memory it may take and computes the rest twice: with the first
of --memory-gib it needs little, with 0 it takes what it takes by default, at most 1 GiB on a CPU.

    .venv/bin/pip install sentence-transformers==6.2.0
    python -m experiments.speed.train EXAMPLES.jsonl... --rounds 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from experiments.common.data import arguments
from experiments.common.machine import describe, gemm_gflops
from experiments.speed.encode import starting_model
from experiments.speed.train_child import PEER, Job
from opendpr.model.directory import Architecture

CHILD = Path(__file__).with_name("train_child.py")
MOST_TRIED = 128
"""Pairs in a step that chooses the mini-batch; its best does not depend on the batch."""


def parameters(shape: Architecture) -> int:
    """Of the network, without its embeddings: products, their biases, normalisations."""
    d, wide = shape.hidden_size, shape.intermediate_size
    return 2 * d + shape.num_hidden_layers * (4 * d * (d + 1) + wide * (d + 1) + d * (wide + 1) + 4 * d)


class Worker:
    """A system in a process of its own."""

    def __init__(self, job: Job) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD), json.dumps(job._asdict())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.loaded = self._answer()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        raise SystemExit("a child process ended; its message is above")

    def step(self) -> dict[str, float]:
        """One step: its seconds, tokens and loss, and the peak so far."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def best_mini_batch(job: Job, sizes: Sequence[int]) -> int:
    """The mini-batch with which sentence-transformers is fastest: the best of two steps after one."""
    seconds = {}
    for size in sizes:
        worker = Worker(job._replace(batch_size=min(job.batch_size, MOST_TRIED), mini_batch=size))
        worker.step()
        seconds[size] = min(worker.step()["seconds"] for _ in range(2))
        worker.close()
    return min(seconds, key=lambda size: seconds[size])


def measure(job: Job, memory_gib: Sequence[float], steps: int, rounds: int) -> dict[str, Any]:
    """The systems in turns: pairs and tokens a second of each round, the peaks."""
    workers = {PEER: Worker(job)}
    for size in memory_gib:
        workers[f"opendpr, {size} GiB" if size else "opendpr"] = Worker(job._replace(system="opendpr", memory_gib=size))
    found: dict[str, Any] = {name: {"pairs": [], "tokens": [], "loss": []} for name in workers}
    for name, worker in workers.items():
        found[name]["loss"].append(worker.step()["loss"])
    for _ in range(rounds):
        for name, worker in workers.items():
            done = [worker.step() for _ in range(steps)]
            seconds = sum(one["seconds"] for one in done)
            found[name]["pairs"].append(steps * job.batch_size / seconds)
            found[name]["tokens"].append(sum(one["tokens"] for one in done) / seconds)
            found[name]["loss"] += [one["loss"] for one in done]
            found[name]["peak"] = done[-1]["peak_megabytes"]
    for name, worker in workers.items():
        found[name]["loaded"] = worker.loaded["peak_megabytes"]
        worker.close()
    return found


def show(job: Job, found: dict[str, Any], parameters: int, peak_gflops: float) -> None:
    """A row for each system."""
    for name, of in found.items():
        ratios = sorted(a / b for a, b in zip(of["pairs"], found[PEER]["pairs"], strict=True))
        share = 6 * parameters * statistics.median(of["tokens"]) / (peak_gflops * 1e9)
        print(
            f"{job.batch_size:5}{job.hard_negatives:5}  {f'{name}, {job.mini_batch}' if name == PEER else name:26}"
            f"{statistics.median(of['pairs']):9.1f}{statistics.median(ratios):8.2f}"
            f"{f'{ratios[0]:.2f}..{ratios[-1]:.2f}':>14}{share:8.2f}"
            f"{of['peak']:9.0f}{of['peak'] - of['loaded']:9.0f}{of['loss'][0]:8.3f}{of['loss'][-1]:8.3f}",
            flush=True,
        )


def options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("examples", nargs="+", help="files as 'opendpr mine' writes them")
    parser.add_argument("--batch-size", nargs="+", default=["128:1", "128:0", "512:1"], help="PAIRS:HARD_NEGATIVES")
    parser.add_argument("--steps", type=int, default=1, help="of each system in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mini-batch-sizes", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--attention", default="sdpa", choices=("sdpa", "eager"), help="of sentence-transformers")
    parser.add_argument(
        "--memory-gib", type=float, nargs="+", default=[0.5, 0.0], help="as the setting; 0: its default"
    )
    return parser.parse_args()


def main() -> None:
    args = options()
    if not find_spec("sentence_transformers"):
        raise SystemExit("this compares with sentence-transformers: pip install sentence-transformers==6.2.0")
    peak = gemm_gflops("bf16")
    about = {"machine": describe(), "bf16_gemm_gflops": peak, "seed": 0, "attention_of_peer": args.attention}
    print(json.dumps(about | {"steps": args.steps, "rounds": args.rounds, "memory_gib": args.memory_gib}))
    head = f"{'pairs/s':>9}{'ratio':>8}{'min..max':>14}{'of peak':>8}{'peak MB':>9}{'above':>9}{'first':>8}{'last':>8}"
    print(f"{'batch':>5}{'hard':>5}  {'system, mini-batch':26}{head} loss", flush=True)
    shape = starting_model(args.work / "all-minilm").require_encoder().architecture
    for batch_size, hard in (map(int, case.split(":")) for case in args.batch_size):
        batches, work, sizes = 1 + args.rounds * args.steps, str(args.work), args.mini_batch_sizes
        job = Job(PEER, args.examples, work, batch_size, hard, batches, args.attention)
        job = job._replace(mini_batch=best_mini_batch(job, sizes) if len(sizes) > 1 else sizes[0])
        show(job, measure(job, args.memory_gib, args.steps, args.rounds), parameters(shape), peak)


if __name__ == "__main__":
    main()
