"""Passages a second of `opendpr add`, end to end, beside other systems on the same passages with the same model.

In rounds, one system after the other on the same chunk of documents, another first each time, so that a noisy machine
hits all; ratios are taken round by round and their medians are quoted. `opendpr add` reads, cuts, encodes and commits;
the others, with their defaults, encode the passages that were cut for it, each in a process that stays loaded:
sentence-transformers in fp32 and in bf16, with its OpenVINO backend, and fastembed (`peers/encoding.py`). Loading the
models is left out on all sides. Texts are given in the plain form that our tokenizer reads, so that the smallest
cosine with the vectors of sentence-transformers in fp32 is one of the same tokens.

    python -m experiments.speed.encode --passages 3000
    python -m experiments.speed.encode --peers VENV/bin/python     # where optimum-intel and fastembed are installed
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from experiments.common.child import Child
from experiments.common.command import Missing, command_line, parse
from experiments.common.data import Data, Record
from experiments.common.machine import gemm_gflops
from experiments.common.models import starting_model, starting_source
from experiments.common.report import Report
from experiments.peers.encoding import SYSTEMS
from opendpr.choices import PrecisionName
from opendpr.collection import open_collection, open_writer
from opendpr.corpus import Corpus
from opendpr.maintenance.add import add_documents
from opendpr.model.config import Architecture
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder, EncoderInput
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.model.tokenizer import Tokenizer
from opendpr.text.normalising import plain
from opendpr.text.splitting import Splitter
from opendpr.types import Passage, Vectors

BASELINE = "sentence-transformers"
WARM_UP_TEXT = "warm up " * 50


@dataclass
class Chunk:
    """Documents of one round, and the passages that they are cut into."""

    documents: list[Record] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)


@dataclass
class Rounds:
    """What one system did in each round."""

    seconds: list[float] = field(default_factory=list)
    """Seconds from files to stored vectors, of another system from texts to vectors."""
    processor_seconds: list[float] = field(default_factory=list)
    """The same of all threads together, which other work on the machine changes less."""
    network_seconds: list[float] = field(default_factory=list)
    """Seconds that our encoder alone took."""
    cosines: list[float] = field(default_factory=list)
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


def make_chunks(data: Data, passages: int, rounds: int) -> list[Chunk]:
    """As many chunks as rounds, with about `passages` passages together; no titles, so that all see the same."""
    splitter, complete, chunk = Splitter(), list[Chunk](), Chunk()
    for record in data.wikipedia():
        text = record["text"]
        chunk.documents.append({"id": record["id"], "title": "", "text": text})
        chunk.passages += [Passage(0, record["id"], "", text[start:end], start) for start, end in splitter.split(text)]
        if len(chunk.passages) >= passages // rounds:
            complete.append(chunk)
            chunk = Chunk()
            if len(complete) == rounds:
                return complete
    raise SystemExit(f"the corpus has fewer than {passages} passages; give less with --passages")


class Ours:
    """`opendpr add` in one precision."""

    def __init__(self, model: Model, precision: PrecisionName) -> None:
        self.encoder, self.rounds = BertEncoder(model, RuntimeSettings(precision=precision)), Rounds()
        self.encoder.encode_passages([Passage(0, "", "", WARM_UP_TEXT, 0)] * 8)

    def run(self, chunk: Chunk) -> Vectors:
        """One `add` into a new collection: the vectors of its passages."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source = folder / "documents.jsonl"
            source.write_text("\n".join(map(json.dumps, chunk.documents)) + "\n", encoding="utf-8")
            started, processor = time.perf_counter(), time.process_time()
            with open_writer(folder / "collection") as writer:
                add_documents(writer, Corpus([source]), self.encoder)
            self.rounds.seconds.append(time.perf_counter() - started)
            self.rounds.processor_seconds.append(time.process_time() - processor)
            with open_collection(folder / "collection") as collection:
                vectors = np.concatenate([block for _, block in collection.vectors()]).astype(np.float32)
        started = time.perf_counter()
        self.encoder.encode_passages(chunk.passages)
        self.rounds.network_seconds.append(time.perf_counter() - started)
        return vectors


class Peer:
    """Another system in a process of its own, perhaps of another environment.

    Raises:
        Missing: a package that it needs is not installed there.
    """

    def __init__(self, name: str, source: Path, args: argparse.Namespace) -> None:
        kept: Path = args.work / f"{source.name}-{name.replace(' ', '-')}"
        arguments = ["experiments.peers.encoding", name, str(source.absolute()), str(kept.absolute())]
        self._child, self.rounds = Child(arguments, args.peers), Rounds()
        answer = self._child.answer()
        if missing := answer.get("missing"):
            self._child.close()
            raise Missing(f"{name} is left out: {missing} is not installed for {args.peers}")
        self.versions: dict[str, str] = answer["versions"]

    def run(self, chunk: Chunk) -> Vectors:
        """The vectors of the passages."""
        with tempfile.TemporaryDirectory() as name:
            texts, vectors = Path(name) / "texts.json", Path(name) / "vectors.npy"
            texts.write_text(json.dumps([plain(passage.text).text for passage in chunk.passages]), encoding="utf-8")
            answer = self._child.ask(json.dumps([str(texts), str(vectors)]))
            self.rounds.seconds.append(answer["seconds"])
            self.rounds.processor_seconds.append(answer["processor"])
            return np.asarray(np.load(vectors), np.float32)

    def close(self) -> None:
        """End the process."""
        self._child.close()


def start_peers(source: Path, args: argparse.Namespace) -> dict[str, Peer]:
    """The other systems that are installed.

    Raises:
        Missing: sentence-transformers is not, beside which all are measured.
    """
    peers: dict[str, Peer] = {}
    for name in dict.fromkeys((BASELINE, *args.systems)):
        try:
            peers[name] = Peer(name, source, args)
        except Missing:
            if name == BASELINE:
                raise
    return peers


def smallest_cosine(a: Vectors, b: Vectors) -> float:
    """The smallest cosine between rows of the same number."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / norms).min())


def measure(systems: Mapping[str, Ours | Peer], chunks: Sequence[Chunk]) -> None:
    """All rounds of all systems, another first each time."""
    names = list(systems)
    for number, chunk in enumerate(chunks):
        turn = number % len(names)
        vectors = {name: systems[name].run(chunk) for name in (*names[turn:], *names[:turn])}
        for name, system in systems.items():
            system.rounds.cosines.append(smallest_cosine(vectors[name], vectors[BASELINE]))


def put_figures(
    report: Report, systems: Mapping[str, Ours | Peer], chunks: Sequence[Chunk], peaks: Mapping[str, float]
) -> None:
    """The figures of all rounds; `beside` is how many times as fast as that system ours are."""
    counts = [len(chunk.passages) for chunk in chunks]
    report.add("passages", sum(counts))
    for dtype, peak in peaks.items():
        report.add(f"peak {dtype}", peak, "GFLOP/s")
    for name, system in systems.items():
        rounds = system.rounds
        add_rates(report, name, counts, rounds.seconds, systems[BASELINE].rounds.seconds)
        pairs = zip(systems[BASELINE].rounds.processor_seconds, rounds.processor_seconds, strict=True)
        report.add_spread(f"{name}/processor ratio", [theirs / own for theirs, own in pairs])
        report.add(f"{name}/smallest cosine", min(rounds.cosines))
        if isinstance(system, Peer):
            continue
        flop = [passages_flop(system.encoder, chunk.passages) for chunk in chunks]
        for label, seconds in (("of peak", rounds.seconds), ("network of peak", rounds.network_seconds)):
            shares = [f / s / (max(peaks.values()) * 1e9) for f, s in zip(flop, seconds, strict=True)]
            report.add(f"{name}/{label}", statistics.median(shares))
        for other, peer in systems.items():
            if isinstance(peer, Peer) and other != BASELINE:
                pairs = zip(peer.rounds.seconds, rounds.seconds, strict=True)
                report.add_spread(f"{name}/beside {other}", [theirs / own for theirs, own in pairs])


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
    parser.add_argument(
        "--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help=f"beside ours and {BASELINE}"
    )
    parser.add_argument("--peers", default=sys.executable, help="interpreter of the environment that has the others")
    parser.add_argument("--gemm-size", type=int, default=2_048, help="rows of the matrices whose product is the peak")
    few = [BASELINE, "fastembed"]
    args = parse(parser, arguments, passages=8, rounds=1, precisions=["fp32"], systems=few, gemm_size=64)
    source = starting_source(args)
    model, chunks = (
        starting_model(args.work / f"imported-{source.name}", source),
        make_chunks(args.data, args.passages, args.rounds),
    )
    peers = start_peers(source, args)
    versions = {name: number for peer in peers.values() for name, number in peer.versions.items()}
    report = Report(args, auto=resolved(RuntimeSettings()).precision, versions=versions)
    systems: dict[str, Ours | Peer] = {**peers, **{name: Ours(model, name) for name in args.precisions}}
    measure(systems, chunks)
    for peer in peers.values():
        peer.close()
    put_figures(report, systems, chunks, {dtype: gemm_gflops(dtype, args.gemm_size) for dtype in ("fp32", "bf16")})
    report.write()


if __name__ == "__main__":
    main()
