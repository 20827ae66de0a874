"""Exact match and F1 end to end: hybrid retrieval over a pool, 20 passages read, one answer.

.venv/bin/python benchmarks/answer.py --half fit      # for each weight of the retrieval score
"""

from __future__ import annotations

import json

import numpy as np
from data import POOLS, arguments, questions
from machine import describe
from retrieval import open_pool

from opendpr.answering import outcome
from opendpr.encoder import BertEncoder
from opendpr.evaluation import exact_match, f1
from opendpr.reader import BertReader
from opendpr.retriever import make_retriever
from opendpr.runtime import RuntimeSettings
from opendpr.runtime.model import find_model

K = 20
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pool", choices=POOLS, default="P25")
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--questions", type=int, default=350, help="drawn with seed 0")
    args = parser.parse_args()
    model = find_model(args.model)
    encoder, reader = BertEncoder(model), BertReader(model, RuntimeSettings(precision="int8"))
    collection = open_pool(args, encoder)
    records = questions("squad", args.half)
    order = np.random.default_rng(0).permutation(len(records))[: args.questions]
    records = [records[i] for i in order]
    hits = make_retriever("hybrid", collection, encoder).retrieve([record["question"] for record in records], K)
    spans = [reader.read([record["question"]], [of])[0] for record, of in zip(records, hits, strict=True)]
    print(json.dumps({"machine": describe(), "pool": args.pool, "half": args.half, "questions": len(records), "k": K}))
    for weight in WEIGHTS if args.half == "fit" else (model.retrieval.get("reader", 0.0),):
        answers = [outcome(of, lambda hit, weight=weight: weight * hit.score).answers for of in spans]
        texts = [found[0].text if found else "" for found in answers]
        exact = [exact_match(text, record["answers"]) for text, record in zip(texts, records, strict=True)]
        shared = [f1(text, record["answers"]) for text, record in zip(texts, records, strict=True)]
        print(f"weight {weight:5}   EM {100 * np.mean(exact):.1f}   F1 {100 * np.mean(shared):.1f}")


if __name__ == "__main__":
    main()
