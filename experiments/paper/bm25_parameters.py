"""What tantivy's fixed k1 = 1.2 and b = 0.75 cost beside the paper's 0.9 and 0.4, by bm25s, over a pool.

Both see the same tokens, tantivy's: lower-cased, stemmed, the stop words of the question left out. bm25s with
tantivy's parameters shows what else differs (tantivy rounds the lengths of passages).

    pip install bm25s
    python -m experiments.paper.bm25_parameters                 # figures, report half
    python -m experiments.paper.bm25_parameters --half fit      # for choosing
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import bm25s
import numpy as np

from experiments.common.data import POOLS, arguments, pool_passages, questions
from experiments.common.machine import describe
from opendpr.evaluation import bootstrap, compare, first_rank
from opendpr.evaluation.accuracy import within
from opendpr.search.tantivy import TantivyIndex, _analyzer
from opendpr.text import AnswerMatcher
from opendpr.types import Passage

KS = (1, 5, 20, 100)
SETS = ("squad", "nq", "trivia")
PARAMETERS = ((1.2, 0.75), (0.9, 0.4))


def by_tantivy(passages: Sequence[Passage], asked: Sequence[str]) -> list[list[int]]:
    """The places in `passages` of the best 100 for each question."""
    index = TantivyIndex()
    index.update([], passages)
    found = [index.search(question, max(KS)).numbers[0] for question in asked]
    return [(numbers[numbers > 0] - 1).tolist() for numbers in found]


def by_bm25s(passages: Sequence[Passage], asked: Sequence[str]) -> dict[str, list[list[int]]]:
    """The same for each pair of parameters."""
    of_passage, of_question = _analyzer(of_question=False), _analyzer(of_question=True)
    one: dict[str, str] = {}  # each word once in memory
    words = [[one.setdefault(w, w) for w in of_passage.analyze(f"{p.title}\n{p.text}")] for p in passages]
    wanted = [of_question.analyze(question) or of_passage.analyze(question) for question in asked]
    wanted = [[word for word in sorted(set(of)) if word in one] for of in wanted]
    found = {}
    for k1, b in PARAMETERS:
        retriever = bm25s.BM25(method="lucene", k1=k1, b=b)
        retriever.index(words, show_progress=False)
        places = [
            retriever.retrieve([of], k=max(KS), show_progress=False).documents[0].tolist() if of else []
            for of in wanted
        ]
        found[f"bm25s {k1} {b}"] = places
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pool", choices=POOLS, default="P150")
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    args = parser.parse_args()
    passages = list(pool_passages(args.pool))
    records = {name: questions(name, args.half) for name in SETS}
    asked = [record["question"] for name in SETS for record in records[name]]
    print(json.dumps({"machine": describe(), "pool": args.pool, "passages": len(passages), "half": args.half}))
    found = {"tantivy 1.2 0.75": by_tantivy(passages, asked), **by_bm25s(passages, asked)}
    first = 0
    for name in SETS:
        tables = {}
        for system, places in found.items():
            of_set = zip(records[name], places[first : first + len(records[name])], strict=True)
            ranks = []
            for record, some in of_set:
                matcher = AnswerMatcher(record["answers"])
                ranks.append(first_rank([matcher(passages[place].text) for place in some]))
            tables[system] = np.array([[within(rank, k) for k in KS] for rank in ranks], float)
        first += len(records[name])
        for system, table in tables.items():
            told = "  ".join(f"{100 * i.mean:.1f} ({100 * i.low:.1f} to {100 * i.high:.1f})" for i in bootstrap(table))
            print(f"{name:6} {len(table):5} questions  {system:16}  {told}")
        for system in list(tables)[1:]:
            told = "  ".join(
                f"{100 * d.mean:+.1f} ({100 * d.low:+.1f} to {100 * d.high:+.1f}) p {d.p:.4f}"
                for d in compare(tables["tantivy 1.2 0.75"], tables[system])
            )
            print(f"{name:6} tantivy 1.2 0.75 - {system:16}  {told}")


if __name__ == "__main__":
    main()
