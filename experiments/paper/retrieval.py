"""Top-k accuracy of dense, BM25 and hybrid retrieval on `dev/squad.jsonl` over a pool.

A question counts as answered at k if its gold paragraph is the document of one of the first k
passages (gold), or if one of them holds an answer (answer).

    python -m experiments.paper.retrieval --pool P25                   # figures, report half
    python -m experiments.paper.retrieval --pool P25 --half fit --fit  # the weight of hybrid
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from experiments.common.accuracy import ACCURACY_KS, Found, by_answer, by_gold, joined, percents
from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import open_pool
from experiments.common.report import Report
from opendpr.collection import Collection
from opendpr.model.encoder import BertEncoder
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import HybridRetriever, make_retriever

SYSTEMS = ("dense", "bm25", "hybrid")
HYBRID_WEIGHTS = (0, 10, 20, 30, 40, 60, 80, 120)


def add_accuracies(report: Report, name: str, right: Found) -> str:
    """Report accuracy at each of `ACCURACY_KS`, and return it as text."""
    for k, value in zip(ACCURACY_KS, percents(right), strict=True):
        report.add(f"{name}@{k}", value, "%")
    return joined(percents(right))


def try_weights(args: argparse.Namespace, collection: Collection, encoder: BertEncoder, report: Report) -> None:
    """Hybrid retrieval with each of `HYBRID_WEIGHTS`: SQuAD by gold paragraph and answer, other sets by answer."""
    live = LiveSnapshot(collection)
    sets = {name: args.data.questions(name, args.half) for name in ("squad", "nq", "trivia")}
    for weight in HYBRID_WEIGHTS:
        retriever = HybridRetriever(live, encoder, weight)
        hits = {
            name: retriever.retrieve([r["question"] for r in records], max(ACCURACY_KS))
            for name, records in sets.items()
        }
        gold = add_accuracies(report, f"weight {weight}/squad/gold", by_gold(hits["squad"], sets["squad"]))
        answers = [
            f"{name} {add_accuracies(report, f'weight {weight}/{name}/answer', by_answer(hits[name], records))}"
            for name, records in sets.items()
        ]
        print(f"weight {weight:5}   gold {gold}   {'   '.join(answers)}", flush=True)


def compare_systems(args: argparse.Namespace, collection: Collection, encoder: BertEncoder, report: Report) -> None:
    """Each system by gold paragraph and by answer, and how long a question takes it."""
    records = args.data.questions("squad", args.half)
    questions = [record["question"] for record in records]
    for system in SYSTEMS:
        started = time.perf_counter()
        hits = make_retriever(system, LiveSnapshot(collection), encoder).retrieve(questions, max(ACCURACY_KS))
        milliseconds = 1000 * (time.perf_counter() - started) / len(questions)
        gold = add_accuracies(report, f"{system}/gold", by_gold(hits, records))
        answer = add_accuracies(report, f"{system}/answer", by_answer(hits, records))
        print(f"{system:8} gold {gold}   answer {answer}   {milliseconds:.1f} ms")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25", half=True)
    parser.add_argument("--fit", action="store_true", help="try weights of the hybrid retriever")
    args = parse(parser, arguments)
    encoder = make_encoder(args)
    report = Report(args)
    with open_pool(args, encoder) as collection:
        (try_weights if args.fit else compare_systems)(args, collection, encoder, report)
    report.write()


if __name__ == "__main__":
    main()
