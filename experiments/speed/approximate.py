"""What the approximate index finds of what exact search finds, for real questions over a pool.

`opendpr optimize` chooses its effort with questions made of passages; here the questions of the report halves are asked
of the index and of all vectors.

    python -m experiments.speed.approximate --pool P150
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import open_pool
from experiments.common.report import Report
from experiments.paper.evaluate import QUESTION_SETS
from opendpr.collection import open_writer
from opendpr.maintenance.optimize import optimize
from opendpr.search.exact import ExactIndex
from opendpr.search.settings import INDEX_RECALL, BuildSettings
from opendpr.search.snapshot import DenseIndex, load_snapshot
from opendpr.types import Numbers, Vectors

RECALL_DEPTHS = (20, 100)
TIMED_QUESTIONS = 20
"""Questions of each set that are asked one after the other."""


def search(index: DenseIndex, vectors: Vectors) -> tuple[Numbers, float]:
    """Numbers (Q, k) of each question's passages, and the median of the milliseconds of single questions."""
    seconds = []
    for vector in vectors[:TIMED_QUESTIONS]:
        started = time.perf_counter()
        index.search(vector[None], max(RECALL_DEPTHS))
        seconds.append(time.perf_counter() - started)
    return index.search(vectors, max(RECALL_DEPTHS)).numbers, 1000 * float(np.median(seconds))


def recall(exact: Numbers, approximate: Numbers, k: int) -> float:
    """Share of the exact first k that the approximate first k hold; -1 pads both where there are fewer."""
    k = min(k, int((exact[0] >= 0).sum()))
    shares = [len(np.intersect1d(a[:k], b[:k])) / k for a, b in zip(exact, approximate, strict=True)]
    return float(np.mean(shares))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P150")
    parser.add_argument("--recall", type=float, default=INDEX_RECALL)
    parser.add_argument("--limit", type=int, default=1_000, help="questions of each set")
    args = parse(parser, arguments, limit=4)
    encoder = make_encoder(args)
    report = Report(args)
    with open_pool(args, encoder) as collection:
        exact = ExactIndex.gather(collection.vectors(), collection.count_passages(), encoder.dim)
        with open_writer(collection.directory) as writer:
            built = optimize(writer, index="ivf", build=BuildSettings(recall=args.recall))
        assert built, "an index was asked for"
        print({name: built.as_json()[name] for name in ("factory", "rows", "lists", "factor", "recall", "seconds")})
        index = load_snapshot(collection, ["dense"]).dense
        for name in QUESTION_SETS:
            records = args.data.questions(name, "report")[: args.limit]
            vectors = encoder.encode_questions([record["question"] for record in records])
            (best, slow), (approximate, quick) = search(exact, vectors), search(index, vectors)
            report.add(f"{name}/exact", slow, "ms")
            report.add(f"{name}/ivf", quick, "ms")
            for k in RECALL_DEPTHS:
                report.add(f"{name}/recall@{k}", recall(best, approximate, k))
            print(f"{name:8}{len(records):6} questions  {quick:.2f} ms, every vector {slow:.2f} ms")
    report.write()


if __name__ == "__main__":
    main()
