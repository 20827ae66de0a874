"""Top-k accuracy of dense, BM25 and hybrid retrieval on `dev/squad.jsonl` over a pool.

A question counts as answered at k if its gold paragraph is the document of one of the first k
passages (gold), or if one of them holds an answer (answer).

    python -m experiments.paper.retrieval --pool P25                 # figures, report half
    python -m experiments.paper.retrieval --pool P25 --half fit --fit # the weight of hybrid
"""

from __future__ import annotations

import json
import time

import numpy as np

from experiments.common.data import POOLS, arguments, pool, questions
from experiments.common.machine import describe
from opendpr.collection import Collection, open_collection, open_writer
from opendpr.maintenance.add import add
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.retrievers import HybridRetriever, Snapshot, make_retriever
from opendpr.text import AnswerMatcher
from opendpr.types import Hit

KS = (1, 5, 20, 100)
WEIGHTS = (0, 10, 20, 30, 40, 60, 80, 120)


def gold(hits: list[list[Hit]], records: list[dict]) -> np.ndarray:
    """(Q, k) bool: whether a passage of the gold paragraph is among the first places."""
    return ranks(
        [[hit.passage.document_id == r["document_id"] for hit in of] for of, r in zip(hits, records, strict=True)]
    )


def answered(hits: list[list[Hit]], records: list[dict]) -> np.ndarray:
    """(Q, k) bool: whether one of the first passages contains an answer."""
    rows = []
    for of, record in zip(hits, records, strict=True):
        matcher = AnswerMatcher(record["answers"])
        rows.append([matcher(hit.passage.text) for hit in of])
    return ranks(rows)


def ranks(rows: list[list[bool]]) -> np.ndarray:
    """(Q, max k) bool: whether any place up to this one is true."""
    found = np.zeros((len(rows), max(KS)), bool)
    for number, row in enumerate(rows):
        found[number, : len(row)] = row
    return np.logical_or.accumulate(found, axis=1)


def line(found: np.ndarray) -> str:
    return " / ".join(f"{100 * found[:, k - 1].mean():.1f}" for k in KS)


def open_pool(args: object, encoder: BertEncoder) -> Collection:
    """The pool as a collection, made or completed if need be."""
    directory = args.work / f"{args.pool}-{encoder.model.fingerprint[:8]}-{args.precision}"
    with open_writer(directory) as writer:
        report = add(writer, pool(args.pool), encoder)
    if report.encoded:
        print(f"encoded {report.encoded} passages in {report.seconds:.0f} s")
    return open_collection(directory)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pool", choices=POOLS, default="P25")
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--fit", action="store_true", help="try weights of the hybrid retriever")
    args = parser.parse_args()
    encoder = BertEncoder(find_model(args.model), RuntimeSettings(precision=args.precision))
    collection = open_pool(args, encoder)
    records = questions("squad", args.half)
    asked = [record["question"] for record in records]
    print(json.dumps({"machine": describe(), "pool": args.pool, "half": args.half, "questions": len(asked), "k": KS}))
    if args.fit:
        snapshot = Snapshot(collection)
        others = {name: questions(name, args.half) for name in ("nq", "trivia")}
        for weight in WEIGHTS:
            retriever = HybridRetriever(snapshot, encoder, weight)
            hits = retriever.retrieve(asked, max(KS))
            told = f"gold {line(gold(hits, records))}   answer {line(answered(hits, records))}"
            for name, of in others.items():
                found = retriever.retrieve([record["question"] for record in of], max(KS))
                told += f"   {name} {line(answered(found, of))}"
            print(f"weight {weight:5}   {told}", flush=True)
        return
    for kind in ("dense", "bm25", "hybrid"):
        started = time.perf_counter()
        hits = make_retriever(kind, collection, encoder).retrieve(asked, max(KS))
        took = 1000 * (time.perf_counter() - started) / len(asked)
        print(f"{kind:8} gold {line(gold(hits, records))}   answer {line(answered(hits, records))}   {took:.1f} ms")


if __name__ == "__main__":
    main()
