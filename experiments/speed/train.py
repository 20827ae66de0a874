"""Pairs a second and peak memory of encoder training, beside sentence-transformers' cached loss on the same pairs.

Both train all-MiniLM-L6-v2 on a CPU in bf16 with AdamW, clipped gradients and the dropout that they
have by default, each in a process of its own, so that its peak of memory is its own. They take turns,
round by round; ratios are of the two in one round. sentence-transformers has the fastest of the
mini-batches given, tried before on batches of at most 128. Its texts are `title [SEP] text`, cut
where ours are; only a passage that a batch has twice is encoded once here and twice there.

The share of the peak counts 6 operations for each token without padding and each parameter that is
no embedding, so neither attention's products nor what a cache of gradients computes twice.

opendpr keeps the graphs that fit the memory it may take and computes the rest twice: with the first
of --memory-gib it needs little, with 0 it takes its default, at most 1 GiB on a CPU.

    pip install sentence-transformers==6.2.0
    python -m experiments.speed.train                 # SQuAD's training questions with a BM25 negative each
    python -m experiments.speed.train EXAMPLES.jsonl... --rounds 5
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from experiments.common.child import Child
from experiments.common.command import command_line, parse, require
from experiments.common.machine import gemm_gflops
from experiments.common.mining import training_examples
from experiments.common.models import starting_model, starting_source
from experiments.common.report import Report
from experiments.speed.train_child import PEER_SYSTEM, Job
from opendpr.model.config import Architecture

TRIED_PAIRS = 128
"""Pairs in a step that chooses the mini-batch; the best one does not depend on the batch."""


def count_parameters(shape: Architecture) -> int:
    """Parameters of the network without its embeddings: products, their biases, normalisations."""
    d, wide = shape.hidden_size, shape.intermediate_size
    return 2 * d + shape.num_hidden_layers * (4 * d * (d + 1) + wide * (d + 1) + d * (wide + 1) + 4 * d)


class Worker:
    """A system in a process of its own."""

    def __init__(self, job: Job) -> None:
        self._child = Child(["experiments.speed.train_child", json.dumps(job._asdict())])
        self.loaded_megabytes: float = self._child.answer()["peak_megabytes"]

    def step(self) -> dict[str, float]:
        """One step: its seconds, tokens and loss, and the peak so far."""
        return self._child.ask()

    def close(self) -> None:
        """End the process."""
        self._child.close()


@dataclass
class Rounds:
    """What one system did in each round."""

    pairs: list[float] = field(default_factory=list)
    """Pairs a second."""
    tokens: list[float] = field(default_factory=list)
    """Tokens a second."""
    losses: list[float] = field(default_factory=list)
    peak_megabytes: float = 0.0
    loaded_megabytes: float = 0.0
    """Peak before the first step."""


def best_mini_batch(job: Job, sizes: Sequence[int]) -> int:
    """The mini-batch size whose step is fastest: the faster of two steps after one."""
    if len(sizes) == 1:
        return sizes[0]
    seconds = {}
    for size in sizes:
        worker = Worker(job._replace(batch_size=min(job.batch_size, TRIED_PAIRS), mini_batch=size))
        worker.step()
        seconds[size] = min(worker.step()["seconds"] for _ in range(2))
        worker.close()
    return min(seconds, key=lambda size: seconds[size])


def measure(job: Job, memory_gib: Sequence[float], *, steps: int, rounds: int) -> dict[str, Rounds]:
    """The systems in turns, after one step each that is not counted; `job.system` is the peer, if it is to run."""
    workers = {PEER_SYSTEM: Worker(job)} if job.system == PEER_SYSTEM else {}
    for size in memory_gib:
        workers[f"opendpr {size} GiB" if size else "opendpr"] = Worker(job._replace(system="opendpr", memory_gib=size))
    results = {name: Rounds(loaded_megabytes=worker.loaded_megabytes) for name, worker in workers.items()}
    for name, worker in workers.items():
        results[name].losses.append(worker.step()["loss"])
    for _ in range(rounds):
        for name, worker in workers.items():
            done = [worker.step() for _ in range(steps)]
            seconds = sum(step["seconds"] for step in done)
            results[name].pairs.append(steps * job.batch_size / seconds)
            results[name].tokens.append(sum(step["tokens"] for step in done) / seconds)
            results[name].losses += [step["loss"] for step in done]
            results[name].peak_megabytes = done[-1]["peak_megabytes"]
    for worker in workers.values():
        worker.close()
    return results


def add_rounds(report: Report, job: Job, results: dict[str, Rounds], flop_per_token: float, peak_gflops: float) -> None:
    """Report a system's rates, share of the peak, memory and losses."""
    for name, rounds in results.items():
        label = f"{job.batch_size}:{job.hard_negatives}/{name}"
        pairs = report.add_spread(f"{label}/pairs", rounds.pairs, "/s")
        if PEER_SYSTEM in results:
            ratios = [ours / theirs for ours, theirs in zip(rounds.pairs, results[PEER_SYSTEM].pairs, strict=True)]
            report.add_spread(f"{label}/ratio", ratios)
        share = flop_per_token * statistics.median(rounds.tokens) / (peak_gflops * 1e9)
        report.add(f"{label}/of peak", share)
        report.add(f"{label}/memory", rounds.peak_megabytes / 1000, "GB")
        report.add(f"{label}/memory above start", (rounds.peak_megabytes - rounds.loaded_megabytes) / 1000, "GB")
        report.add(f"{label}/first loss", rounds.losses[0])
        report.add(f"{label}/last loss", rounds.losses[-1])
        print(f"{label:40} {pairs[0]:7.1f} pairs/s {rounds.peak_megabytes:7.0f} MB", flush=True)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = command_line(__doc__, precision=None)
    parser.add_argument("examples", nargs="*", help="files as 'opendpr mine' writes them; SQuAD's without")
    parser.add_argument("--batch-size", nargs="+", default=["128:1", "128:0", "512:1"], help="PAIRS:HARD_NEGATIVES")
    parser.add_argument("--steps", type=int, default=1, help="steps of each system in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mini-batch-sizes", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--attention", default="sdpa", choices=("sdpa", "eager"), help="of sentence-transformers")
    parser.add_argument("--memory-gib", type=float, nargs="+", default=[0.5, 0.0], help="0: the default of opendpr")
    parser.add_argument("--gemm-size", type=int, default=2_048, help="rows of the matrices whose product is the peak")
    parser.add_argument("--alone", action="store_true", help="without sentence-transformers")
    tiny = {"alone": True, "batch_size": ["4:1"], "rounds": 1, "memory_gib": [0.0], "gemm_size": 64}
    return parse(parser, arguments, **tiny)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_arguments(arguments)
    if not args.alone:
        require("sentence_transformers", "sentence-transformers==6.2.0")
    examples = args.examples or [str(training_examples(args.data, args.work))]
    report, peak = Report(args, seed=0, steps=args.steps, rounds=args.rounds), gemm_gflops("bf16", args.gemm_size)
    report.add("peak bf16", peak, "GFLOP/s")
    source = starting_source(args)
    model = starting_model(args.work / f"imported-{source.name}", source)
    shape = model.require_encoder().architecture
    for batch_size, hard in (map(int, case.split(":")) for case in args.batch_size):
        batches = 1 + args.rounds * args.steps
        system, paths = "opendpr" if args.alone else PEER_SYSTEM, (str(source), str(model.directory))
        job = Job(system, examples, *paths, batch_size, hard, batches, args.attention)
        if not args.alone:
            job = job._replace(mini_batch=best_mini_batch(job, args.mini_batch_sizes))
            report.add(f"{batch_size}:{hard}/mini-batch", job.mini_batch, "pairs")
        results = measure(job, args.memory_gib, steps=args.steps, rounds=args.rounds)
        add_rounds(report, job, results, 6.0 * count_parameters(shape), peak)
    report.write()


if __name__ == "__main__":
    main()
