"""Multi-passage BERT (Wang et al. 2019), which the paper's section 6 names: scores normalised over all passages.

Documents are cut into passages of 100 words that begin every 50 words. Span scores of a passage are not a probability
within it, but the sum of two logits that compete with those of every other passage of the question; no passage is
chosen first. Beside it the paper's own way, P_selected * P_start * P_end, over the same passages and over disjoint
ones. BM25 finds the passages; the reader is opendpr's, trained one passage at a time: only how its logits are used
differs. Wang et al. train with the normalisation that they answer with.

    python -m experiments.paper.systems.multi_passage --pool P150 --limit 60
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.command import parse
from experiments.common.pools import build_pool_words, build_words
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.systems.running import (
    ReadingSystem,
    SystemTask,
    question_files,
    run_systems,
    system_command_line,
)
from opendpr.answering import outcome
from opendpr.collection import open_collection
from opendpr.model.batches import Batch, Network
from opendpr.model.config import ReaderConfig
from opendpr.model.directory import Model, find_model
from opendpr.model.reader import SpanReader
from opendpr.model.runtime import RuntimeSettings, load_network
from opendpr.model.tokenizer import Tokenizer
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text.splitting import Splitter

STRIDED = Splitter(words=100, overlap=50)
"""Passages of 100 words, one every 50 (Wang et al. 2019, section 2)."""


class Remembering:
    """A network that computes each batch once: both ways of reading use the same logits."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._logits: dict[bytes, NDArray[np.float32]] = {}

    @property
    def parallel(self) -> int:
        """That of the network."""
        return self._network.parallel

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """For each batch (B, 1 + 2L), as the network gives them."""
        keys = [hashlib.sha256(b"".join(array.tobytes() for array in batch)).digest() for batch in batches]
        new = {key: batch for key, batch in zip(keys, batches, strict=True) if key not in self._logits}
        self._logits.update(zip(new, self._network(list(new.values())) if new else [], strict=True))
        return [self._logits[key] for key in keys]


class WithoutSelection:
    """A reader's network whose choice of a passage is left out: its first logit is 0."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @property
    def parallel(self) -> int:
        """That of the network."""
        return self._network.parallel

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """For each batch (B, 1 + 2L), as the network gives them."""
        logits = [rows.copy() for rows in self._network(batches)]
        for rows in logits:
            rows[:, 0] = 0
        return logits


def global_reader(network: Network, config: ReaderConfig, tokenizer: Tokenizer) -> SpanReader:
    """A reader whose two scores of a span add up to its start logit plus its end logit.

    Without a selection layer, the passage's score is log Z_start + log Z_end of its text, which takes the
    denominators of P_start and P_end away again. `outcome` then normalises by the sum of Z_start * Z_end over the
    passages. Wang et al. divide by the product of the two sums instead: another number, the same for all spans of a
    question.
    """
    return SpanReader(replace(config, selection=False), tokenizer, WithoutSelection(network))


def measure(args: argparse.Namespace, model: Model, runtime: RuntimeSettings) -> list[Path]:
    """The runs over disjoint passages and over overlapping ones."""
    network = Remembering(load_network(model, "reader", runtime, throughput=True))
    config = model.require_reader()
    tokenizer = Tokenizer(model.tokenizer_of("reader"))
    by_passage, over_all = SpanReader(config, tokenizer, network), global_reader(network, config, tokenizer)
    strided = args.work / f"strided-{args.pool}"
    if not strided.exists():  # else the corpus would be read for nothing
        build_words(strided, args.data.pool(args.pool), STRIDED)
    task = SystemTask(question_files(args), args.limit, args.passages, model, runtime)
    runs = []
    for label, directory in (("disjoint", build_pool_words(args)), ("overlapping", strided)):
        with open_collection(directory) as collection:
            retriever = Bm25Retriever(LiveSnapshot(collection))
            systems = {
                name: ReadingSystem(retriever, reader, args.passages, outcome)
                for name, reader in (("by passage", by_passage), ("over all", over_all))
            }
            folder = args.work / f"multi-passage-{args.pool}-{args.half}"
            folder.mkdir(exist_ok=True)
            runs.append(run_systems(collection, systems, task, output=folder / f"{label}.jsonl"))
    return runs


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse(system_command_line(__doc__), arguments, limit=2, passages=2)
    report = Report(args, passages=args.passages)
    add_runs(report, measure(args, find_model(args.model), RuntimeSettings(precision=args.precision)))
    report.write()


if __name__ == "__main__":
    main()
