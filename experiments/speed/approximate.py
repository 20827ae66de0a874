"""What the approximate index finds of what looking at every vector finds, for real questions over a pool.

`opendpr optimize` chooses its effort with questions made of passages; here the questions of the report halves are asked
of the index and of all vectors.

    python -m experiments.speed.approximate --pool P150
"""

from __future__ import annotations

import json
import time

import numpy as np

from experiments.common.data import POOLS, arguments, questions
from experiments.common.machine import describe
from experiments.paper.retrieval import open_pool
from opendpr.collection import open_writer
from opendpr.maintenance.add import RECALL, optimize
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.protocols import VectorIndex
from opendpr.search.exact import ExactIndex
from opendpr.search.retrievers import Snapshot

DEPTHS = (20, 100)
TIMED = 20
"""Questions of each set that are asked one after the other."""


def ask(index: VectorIndex, vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Numbers (Q, k) of each question's passages, and the median of the milliseconds of some, one by one."""
    seconds = []
    for vector in vectors[:TIMED]:
        started = time.perf_counter()
        index.search(vector[None], max(DEPTHS))
        seconds.append(time.perf_counter() - started)
    return index.search(vectors, max(DEPTHS)).numbers, 1000 * float(np.median(seconds))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pool", choices=POOLS, default="P150")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--recall", type=float, default=RECALL)
    parser.add_argument("--limit", type=int, default=1_000, help="questions of each set")
    args = parser.parse_args()
    encoder = BertEncoder(find_model(args.model), RuntimeSettings(precision=args.precision))
    collection = open_pool(args, encoder)
    exact = ExactIndex.gather(collection.vectors(), collection.count_passages(), encoder.dim)
    with open_writer(collection.directory) as writer:
        record = optimize(writer, index="ivf", recall=args.recall)
    index = Snapshot(collection).dense
    told = {name: record[name] for name in ("factory", "rows", "lists", "factor", "recall", "seconds")}
    print(json.dumps({"machine": describe(), "pool": args.pool, **told}))
    for name in ("squad", "nq", "trivia"):
        asked = encoder.encode_questions([record["question"] for record in questions(name, "report")[: args.limit]])
        (all_of, slow), (found, quick) = ask(exact, asked), ask(index, asked)
        shares = [
            np.mean([len(np.intersect1d(a[:k], b[:k])) / k for a, b in zip(all_of, found, strict=True)]) for k in DEPTHS
        ]
        recalls = ", ".join(f"recall@{k} {share:.3f}" for k, share in zip(DEPTHS, shares, strict=True))
        print(f"{name:8}{len(asked):6} questions  {recalls}  {quick:.2f} ms, every vector {slow:.2f} ms")


if __name__ == "__main__":
    main()
