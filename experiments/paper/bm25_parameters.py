"""What tantivy's fixed k1 = 1.2 and b = 0.75 cost beside the paper's 0.9 and 0.4, by bm25s, over a pool.

Both see the same tokens, tantivy's: lower-cased, stemmed, the stop words of the question left out. bm25s with
tantivy's parameters shows what else differs (tantivy rounds the lengths of passages).

    pip install bm25s
    python -m experiments.paper.bm25_parameters                 # figures, report half
    python -m experiments.paper.bm25_parameters --half fit      # for choosing
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.common.accuracy import ACCURACY_KS, first_right
from experiments.common.command import command_line, parse, require
from experiments.common.data import Record
from experiments.common.report import Report
from experiments.paper.evaluate import QUESTION_SETS
from experiments.peers.bm25s import Bm25s
from opendpr.evaluation import bootstrap, compare
from opendpr.search.tantivy import TantivyIndex
from opendpr.text import AnswerMatcher
from opendpr.types import Passage

BM25_PARAMETERS = ((1.2, 0.75), (0.9, 0.4))
OWN_SYSTEM = "tantivy 1.2 0.75"
Table = NDArray[np.float64]
"""(Q, k): 1 where an answer is among the first k passages."""


def by_tantivy(passages: Sequence[Passage], questions: Sequence[str]) -> list[list[int]]:
    """The places in `passages` of the best 100 for each question."""
    index = TantivyIndex()
    index.update([], passages)
    rows = [index.search(question, max(ACCURACY_KS)).numbers[0] for question in questions]
    return [(numbers[numbers > 0] - 1).tolist() for numbers in rows]


def retrieve(passages: Sequence[Passage], questions: Sequence[str]) -> dict[str, list[list[int]]]:
    """Return by system where the best passages of each question are."""
    peer = Bm25s(passages)
    theirs = {f"bm25s {k1} {b}": peer.search(questions, max(ACCURACY_KS), k1=k1, b=b) for k1, b in BM25_PARAMETERS}
    return {OWN_SYSTEM: by_tantivy(passages, questions), **theirs}


def judge(passages: Sequence[Passage], records: Sequence[Record], places: Sequence[Sequence[int]]) -> Table:
    """Whether an answer is among the first passages."""
    rows = []
    for record, row in zip(records, places, strict=True):
        matcher = AnswerMatcher(record["answers"])
        rows.append([matcher(passages[place].text) for place in row])
    return first_right(rows)[:, [k - 1 for k in ACCURACY_KS]].astype(np.float64)


def add_tables(report: Report, name: str, tables: Mapping[str, Table]) -> None:
    """Report each system's accuracy, and what tantivy has more than the others."""
    for label, intervals in _intervals(tables):
        texts = []
        for k, interval in zip(ACCURACY_KS, intervals, strict=True):
            report.add_interval(f"{name}/{label}/answer@{k}", interval)
            mean, low, high = (100 * value for value in interval[:3])
            texts.append(f"{mean:.1f} ({low:.1f} to {high:.1f})")
        print(f"{name:6} {label:36}  {'  '.join(texts)}")


def _intervals(tables: Mapping[str, Table]) -> Iterator[tuple[str, Sequence[tuple[float, ...]]]]:
    for system, table in tables.items():
        yield system, bootstrap(table)
    for system in tables:
        if system != OWN_SYSTEM:
            yield f"{OWN_SYSTEM} - {system}", compare(tables[OWN_SYSTEM], tables[system])


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse(command_line(__doc__, pool="P150", half=True, precision=None), arguments)
    require("bm25s", "bm25s")
    passages = list(args.data.pool_passages(args.pool))
    records = {name: args.data.questions(name, args.half) for name in QUESTION_SETS}
    report = Report(args, passages=len(passages))
    rows = retrieve(passages, [record["question"] for name in QUESTION_SETS for record in records[name]])
    first = 0
    for name in QUESTION_SETS:
        last = first + len(records[name])
        tables = {system: judge(passages, records[name], places[first:last]) for system, places in rows.items()}
        add_tables(report, name, tables)
        first = last
    report.write()


if __name__ == "__main__":
    main()
