"""A child process of `train.py`: steps of encoder training by one system, each on a line from its parent."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.model.directory import Model
from opendpr.training.examples import read_training_examples
from opendpr.training.sources import Pair

PEER_SYSTEM = "sentence-transformers"


class Job(NamedTuple):
    """What a child process is to do."""

    system: str
    examples: list[str]
    source: str
    """The model that sentence-transformers trains."""
    model: str
    """The same, imported."""
    batch_size: int
    hard_negatives: int
    batches: int
    """Different ones; after the last comes the first again."""
    attention: str
    """Attention of sentence-transformers."""
    mini_batch: int = 0
    """Pairs of sentence-transformers' mini-batches."""
    memory_gib: float = 0.0


class InOrder:
    """A source that gives pairs in the order of the files, so that both systems have the same batches."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        return np.arange(len(self._pairs))

    def pairs(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[Pair]:
        return [self._pairs[number] for number in numbers.tolist()]


def read_pairs(job: Job) -> list[Pair]:
    """Pairs of whole batches: of each example the first positive and the first hard negatives."""
    examples = [example for path in job.examples for example in read_training_examples(Path(path))]
    usable = [example for example in examples if len(example.hard_negatives) >= job.hard_negatives]
    batches = min(job.batches, len(usable) // job.batch_size)
    if not batches:
        raise SystemExit(f"{len(usable)} usable examples are less than a batch of {job.batch_size}; give more files")
    chosen = np.random.default_rng(0).permutation(len(usable))[: batches * job.batch_size].tolist()
    return [
        Pair(
            example.question.text,
            example.positives[0],
            example.hard_negatives[: job.hard_negatives],
            example.positives[1:],
        )
        for example in (usable[place] for place in chosen)
    ]


def send(**values: object) -> None:
    """Send values to the parent, and this process's peak of memory.

    VmHWM is `ru_maxrss` without what a parent held when it started this process.
    """
    with open("/proc/self/status", encoding="utf-8") as file:
        peak = next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith("VmHWM:"))
    print(json.dumps({**values, "peak_megabytes": peak}), flush=True)


def wait() -> float:
    """Wait for a line from the parent and return the time; without a parent, end."""
    if not sys.stdin.readline():
        raise SystemExit
    return time.perf_counter()


def serve_ours(job: Job) -> None:
    """Steps of `opendpr train encoder`."""
    from opendpr.model.encoder import EncoderInput
    from opendpr.model.tokenizer import Tokenizer
    from opendpr.training.encoder_objective import EncoderObjective, lay_out
    from opendpr.training.loop import train
    from opendpr.training.settings import EncoderSettings
    from opendpr.training.towers import Towers

    model = Model(Path(job.model))
    config = model.require_encoder()
    network = Towers(config)
    network.load(model)
    settings = EncoderSettings(
        epochs=1e6,
        warmup_fraction=0.0,
        batch_size=job.batch_size,
        hard_negatives=job.hard_negatives,
        memory_gib=job.memory_gib,
        precision="bf16",
        device="cpu",
        checkpoint_seconds=1e9,
    )
    pairs, inputs = read_pairs(job), EncoderInput(config, Tokenizer(model.tokenizer_path))
    tokens = []
    for first in range(0, len(pairs), job.batch_size):
        batch = pairs[first : first + job.batch_size]
        rows = [*inputs.questions([pair.question for pair in batch]), *inputs.passages(lay_out(batch)[0])]
        tokens.append(sum(len(row.ids) for row in rows))
    objective = EncoderObjective(network, InOrder(pairs), inputs=inputs, settings=settings)
    send()
    started = wait()

    def on_step(done: int, total: int, loss: float) -> None:
        nonlocal started
        send(seconds=time.perf_counter() - started, tokens=tokens[(done - 1) % len(tokens)], loss=loss)
        started = wait()

    with tempfile.TemporaryDirectory() as folder:
        train(objective, settings, Path(folder), on_step=on_step)


def serve_peer(job: Job) -> None:
    """Steps of sentence-transformers."""
    from experiments.peers.sentence_transformers import CachedTraining

    config = Model(Path(job.model)).require_encoder()
    training = CachedTraining(Path(job.source), config, attention=job.attention, mini_batch=job.mini_batch)
    pairs, first = read_pairs(job), 0
    send()
    while True:
        started = wait()
        loss, tokens = training.step(pairs[first : first + job.batch_size])
        first = (first + job.batch_size) % len(pairs)
        send(seconds=time.perf_counter() - started, tokens=tokens, loss=loss)


if __name__ == "__main__":
    job = Job(**json.loads(sys.argv[1]))
    (serve_peer if job.system == PEER_SYSTEM else serve_ours)(job)
