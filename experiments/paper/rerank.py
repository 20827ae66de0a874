"""Top-k accuracy of hybrid retrieval before and after a cross-encoder orders its best passages again, over a pool.

A question counts as answered at k if one of its first k passages holds an answer. Each pair of question and passage
is scored once, at the greatest depth; smaller depths use the same scores. Scores are kept in --work, so a killed run
goes on. The cross-encoder is what `models/published.py` writes and `opendpr import model` reads.

    python -m experiments.paper.rerank --pool P25 --questions 60 --depths 20 50
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.accuracy import by_answer
from experiments.common.command import Missing, command_line, make_encoder, parse
from experiments.common.data import Record
from experiments.common.pools import open_pool
from experiments.common.report import Report
from experiments.common.tiny import write_tiny_reranker
from opendpr.collection import Collection
from opendpr.evaluation.statistics import bootstrap, compare
from opendpr.model.encoder import BertEncoder
from opendpr.model.reranker import CrossEncoder
from opendpr.search.live import LiveSnapshot
from opendpr.search.reranking import make_reranking
from opendpr.search.retrievers import make_retriever
from opendpr.types import Hit

RERANKED_SETS = ("squad", "nq", "trivia")
RERANKED_KS = (1, 5, 20)
RERANKER = "ms-marco-MiniLM-L-12-v2"
"""The folder in --work that holds the cross-encoder."""


class KeptScores:
    """Scores of the passages of questions, kept in a file of lines."""

    def __init__(self, path: Path, encoder: CrossEncoder) -> None:
        self._path, self._encoder = path, encoder
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        self._scores: dict[str, list[float]] = {record["id"]: record["scores"] for record in map(json.loads, lines)}
        self.seconds, self.pairs = 0.0, 0
        """Processor time and pairs of this run alone."""

    def of_question(self, record: Record, hits: Sequence[Hit]) -> list[float]:
        """A score for each passage; the network runs only if they are not kept."""
        key = record["id"]
        if len(self._scores.get(key, ())) != len(hits):
            started = time.process_time()
            scores = self._encoder.score(record["question"], [hit.passage for hit in hits])
            self.seconds += time.process_time() - started
            self.pairs += len(hits)
            self._scores[key] = scores.tolist()
            with self._path.open("a", encoding="utf-8") as file:
                print(json.dumps({"id": key, "scores": self._scores[key]}), file=file, flush=True)
        return self._scores[key]


def reordered(hits: Sequence[Hit], scores: Sequence[float], depth: int) -> list[Hit]:
    """The first `depth` passages by score, then the rest as it was."""
    order = sorted(range(min(depth, len(hits))), key=lambda place: -scores[place])
    return [*(hits[place] for place in order), *hits[depth:]]


def columns(hits: Sequence[Sequence[Hit]], records: Sequence[Record]) -> NDArray[np.bool_]:
    """(Q, 3): whether a question is answered at each of `RERANKED_KS`."""
    return by_answer(hits, records)[:, [k - 1 for k in RERANKED_KS]]


def measure_set(
    name: str, records: Sequence[Record], rows: Sequence[Sequence[Hit]], scores: KeptScores, depths: Sequence[int]
) -> dict[str, NDArray[np.bool_]]:
    """The verdicts of hybrid retrieval and of each depth, by system."""
    verdicts = {"hybrid": columns(rows, records)}
    kept = [scores.of_question(record, row) for record, row in zip(records, rows, strict=True)]
    for depth in depths:
        ordered = [reordered(row, own, depth) for row, own in zip(rows, kept, strict=True)]
        verdicts[f"depth {depth}"] = columns(ordered, records)
    print(f"{name}: {len(records)} questions", flush=True)
    return verdicts


def add_figures(report: Report, name: str, verdicts: dict[str, NDArray[np.bool_]]) -> None:
    """Report each accuracy, and what re-ranking adds to hybrid retrieval."""
    plain = verdicts["hybrid"].astype(float)
    for system, right in verdicts.items():
        for k, interval in zip(RERANKED_KS, bootstrap(right), strict=True):
            report.add_interval(f"{name}/{system}/answer@{k}", interval)
        if system == "hybrid":
            continue
        for k, difference in zip(RERANKED_KS, compare(right.astype(float), plain), strict=True):
            report.add_interval(f"{name}/{system} - hybrid/answer@{k}", difference)


def measure(args: argparse.Namespace, collection: Collection, encoder: BertEncoder, report: Report) -> None:
    """All sets, then the pairs that a second of processor time scores."""
    reranking = make_reranking(str(args.reranker), max(args.depths), encoder.runtime)
    path = args.work / f"rerank-{args.pool}-{args.reranker.name}-{max(args.depths)}.jsonl"
    scores = KeptScores(path, reranking.encoder)
    retriever = make_retriever("hybrid", LiveSnapshot(collection), encoder)
    for name in RERANKED_SETS:
        records = args.data.questions(name, args.half)[: args.questions]
        rows = retriever.retrieve([record["question"] for record in records], reranking.depth)
        add_figures(report, name, measure_set(name, records, rows, scores, args.depths))
    if scores.pairs:
        print(f"{scores.pairs / scores.seconds:.1f} pairs a second of processor time")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25", half=True)
    parser.add_argument("--questions", type=int, default=60, help="questions of each set")
    parser.add_argument("--depths", type=int, nargs="+", default=[20, 50], help="passages that the cross-encoder reads")
    parser.add_argument("--reranker", type=Path, help=f"directory of the cross-encoder; default: {RERANKER} in --work")
    args = parse(parser, arguments, questions=3, depths=[2, 4])
    args.reranker = args.reranker or args.work / RERANKER
    if args.smoke:
        write_tiny_reranker(args.reranker)
    if not args.reranker.is_dir():
        raise Missing(f"there is no cross-encoder in {args.reranker}; make it with models/published.py, then import it")
    encoder = make_encoder(args)
    report = Report(args, questions=args.questions, depths=args.depths)
    with open_pool(args, encoder) as collection:
        measure(args, collection, encoder, report)
    report.write()


if __name__ == "__main__":
    main()
