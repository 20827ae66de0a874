"""Passages a second of `opendpr add`, end to end, beside sentence-transformers on the same passages.

In rounds, one system after the other on the same chunk of documents, so that a noisy machine hits
both; the ratio is taken round by round and its median is quoted. `opendpr add` reads, cuts,
encodes and commits; sentence-transformers, with its defaults (fp32, batches of 32), encodes the
passages that were cut for it. Loading the models is left out on both sides.

    python -m experiments.speed.encode --passages 3000
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from experiments.common.command import command_line, parse, require
from experiments.common.data import Data, Record
from experiments.common.machine import gemm_gflops
from experiments.common.models import starting_model, starting_source
from experiments.common.report import Report
from opendpr.collection import open_collection, open_writer
from opendpr.corpus import Corpus
from opendpr.maintenance.add import add_documents
from opendpr.model.config import Architecture
from opendpr.model.encoder import BertEncoder, EncoderInput
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.text.splitting import Splitter
from opendpr.types import Passage, Vectors

WARM_UP_TEXT = "warm up " * 50


@dataclass
class Rounds:
    """What one system did in each round."""

    seconds: list[float] = field(default_factory=list)
    """Seconds from files to stored vectors."""
    network_seconds: list[float] = field(default_factory=list)
    """Seconds that the encoder alone took."""
    smallest_cosine: float = 1.0
    """The smallest cosine of a vector with that of sentence-transformers."""


def sequence_flop(architecture: Architecture, tokens: int) -> float:
    """Floating-point operations of one sequence: 2 a multiply-add, embeddings left out."""
    d, wide = architecture.hidden_size, architecture.intermediate_size
    per_token = 2 * (4 * d * d + 2 * d * wide) + 4 * tokens * d
    return architecture.num_hidden_layers * tokens * per_token


def passages_flop(encoder: BertEncoder, passages: Sequence[Passage]) -> float:
    """Floating-point operations of encoding passages without padding."""
    inputs = EncoderInput(encoder.config, Tokenizer(encoder.model.tokenizer_path))
    return sum(sequence_flop(encoder.config.architecture, len(row.ids)) for row in inputs.passages(passages))


def chunks(data: Data, passages: int, rounds: int) -> list[list[Record]]:
    """`rounds` lists of documents with about `passages` passages together; no titles, so that both see the same."""
    splitter, documents, complete, count = Splitter(), [], [], 0
    for record in data.wikipedia():
        documents.append({"id": record["id"], "title": "", "text": record["text"]})
        count += len(splitter.split(record["text"]))
        if count >= passages // rounds:
            complete.append(documents)
            documents, count = [], 0
            if len(complete) == rounds:
                return complete
    raise SystemExit(f"the corpus has fewer than {passages} passages; give less with --passages")


def run_add(documents: Sequence[Record], encoder: BertEncoder, rounds: Rounds) -> tuple[list[Passage], Vectors]:
    """One `add` into a new collection: its passages and their vectors, stored in the same order."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "documents.jsonl"
        source.write_text("\n".join(map(json.dumps, documents)) + "\n", encoding="utf-8")
        started = time.perf_counter()
        with open_writer(folder / "collection") as writer:
            add_documents(writer, Corpus([source]), encoder)
        rounds.seconds.append(time.perf_counter() - started)
        with open_collection(folder / "collection") as collection:
            vectors = np.concatenate([block for _, block in collection.vectors()]).astype(np.float32)
            passages = list(collection.passages_after(0))
    started = time.perf_counter()
    encoder.encode_passages(passages)
    rounds.network_seconds.append(time.perf_counter() - started)
    return passages, vectors


def smallest_cosine(a: Vectors, b: Vectors) -> float:
    """The smallest cosine between rows of the same number."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / norms).min())


def measure(args: argparse.Namespace, report: Report) -> None:
    """All rounds of all systems, then their figures."""
    from experiments.peers.sentence_transformers import load_encoder

    source = starting_source(args)
    model, peer = starting_model(args.work / f"imported-{source.name}", source), load_encoder(source)
    encoders = {name: BertEncoder(model, RuntimeSettings(precision=name)) for name in args.precisions}
    for encoder in encoders.values():
        encoder.encode_passages([Passage(0, "", "", WARM_UP_TEXT, 0)] * 8)
    peer.encode([WARM_UP_TEXT] * 32)
    rounds, peer_seconds = {name: Rounds() for name in encoders}, []
    counts, flop = [], []
    for documents in chunks(args.data, args.passages, args.rounds):
        stored: dict[str, Vectors] = {}
        for name, encoder in encoders.items():
            passages, stored[name] = run_add(documents, encoder, rounds[name])
        started = time.perf_counter()
        vectors = peer.encode([passage.text for passage in passages], show_progress_bar=False)
        peer_seconds.append(time.perf_counter() - started)
        counts.append(len(passages))
        flop.append(passages_flop(encoder, passages))
        for name, ours in stored.items():
            rounds[name].smallest_cosine = min(rounds[name].smallest_cosine, smallest_cosine(ours, vectors))
    report.add("passages", sum(counts))
    add_rates(report, "sentence-transformers", counts, peer_seconds, peer_seconds)
    peaks = {dtype: gemm_gflops(dtype, args.gemm_size) for dtype in ("fp32", "bf16")}
    for dtype, peak in peaks.items():
        report.add(f"peak {dtype}", peak, "GFLOP/s")
    for name, values in rounds.items():
        add_rates(report, name, counts, values.seconds, peer_seconds)
        report.add(f"{name}/smallest cosine", values.smallest_cosine)
        for label, seconds in (("of peak", values.seconds), ("network of peak", values.network_seconds)):
            shares = [f / s / (max(peaks.values()) * 1e9) for f, s in zip(flop, seconds, strict=True)]
            report.add(f"{name}/{label}", statistics.median(shares))


def add_rates(
    report: Report, name: str, counts: Sequence[int], seconds: Sequence[float], others: Sequence[float]
) -> None:
    """Report passages a second, and the ratio to the other system round by round."""
    rate = report.add_spread(f"{name}/rate", [n / s for n, s in zip(counts, seconds, strict=True)], "/s")
    ratio = report.add_spread(f"{name}/ratio", [b / a for a, b in zip(seconds, others, strict=True)])
    print(f"{name:24} {rate[0]:8.1f} passages/s, {ratio[0]:.2f} times ({ratio[1]:.2f} to {ratio[2]:.2f})")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, precision=None)
    parser.add_argument("--passages", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16", "int8"])
    parser.add_argument("--gemm-size", type=int, default=2_048, help="rows of the matrices whose product is the peak")
    args = parse(parser, arguments, passages=8, rounds=1, precisions=["fp32"], gemm_size=64)
    require("sentence_transformers", "sentence-transformers==6.2.0")
    report = Report(args)
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
