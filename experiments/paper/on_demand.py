"""What an answer loses that is given before everything is encoded: the passages that BM25 finds first get vectors.

Top-k accuracy by answer of hybrid search among the best N passages by BM25, and of the reader's exact match, beside
hybrid search over all passages; over a pool and over the handbooks.

    python -m experiments.paper.on_demand --pool P25 --limit 60
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.accuracy import by_answer
from experiments.common.command import command_line, make_encoder, parse
from experiments.common.data import Record
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from experiments.paper.cuts import add_intervals
from experiments.paper.handbooks import fill_collection
from opendpr.answering.pipeline import Answerer
from opendpr.collection import open_collection
from opendpr.iteration import batched
from opendpr.search.live import LiveSnapshot
from opendpr.search.union import score_union
from opendpr.text import exact_match
from opendpr.types import Hit, Neighbours

CANDIDATES = (50, 100, 200, 500, 1_000)
READ_CANDIDATES = 200
"""Candidates with which answers are read too: the program's default."""
DEPTHS = (1, 5, 20)
READ_QUESTIONS = 8
"""Questions read at once."""


def among_candidates(answerer: Answerer, questions: Sequence[str], candidates: int) -> list[list[Hit]]:
    """The best passages of each question, hybrid, when only the first passages by BM25 have vectors."""
    snapshot, weight = LiveSnapshot(answerer.collection).load("hybrid"), answerer.model.hybrid_weight
    lists: list[list[Hit]] = []
    for question, vector in zip(questions, answerer.encoder.encode_questions(questions), strict=True):
        numbers, parts = score_union(
            snapshot, question, vector, snapshot.search_words(question, candidates, None).numbers[0]
        )
        scores = parts["bm25"] + weight * parts["dense"]
        best = np.argsort(-scores, kind="stable")[: max(DEPTHS)]
        named = {name: part[best] for name, part in parts.items()}
        lists += snapshot.hits(Neighbours(scores[best][None], numbers[best][None]), [named])
    return lists


def right(answerer: Answerer, records: Sequence[Record], lists: Sequence[Sequence[Hit]]) -> NDArray[np.float64]:
    """(Q, 1): exact match of the answer that is read from the passages of each question."""
    exact: list[list[float]] = []
    for batch in batched(zip(records, lists, strict=False), READ_QUESTIONS):
        questions = [record["question"] for record, _ in batch]
        for (record, _), spans in zip(batch, answerer.read(questions, [hits for _, hits in batch]), strict=True):
            answers = answerer.outcome(spans, record["question"]).phrases
            exact.append([float(exact_match(answers[0].text if answers else "", record["answers"]))])
    return np.array(exact)


def measure(report: Report, name: str, directory: Path, records: Sequence[Record], limit: int) -> None:
    """Report both measures over a collection, and what each number of candidates loses."""
    questions, accuracy, exact = [record["question"] for record in records], {}, {}
    with open_collection(directory) as collection:
        answerer = Answerer(collection)
        lists = {"all": answerer.retrieve(questions, max(DEPTHS), distinct=False)}
        lists |= {str(count): among_candidates(answerer, questions, count) for count in CANDIDATES}
        for way, hits in lists.items():
            accuracy[way] = by_answer(hits, records)[:, [k - 1 for k in DEPTHS]].astype(np.float64)
        for way in ("all", str(READ_CANDIDATES)):
            exact[way] = right(answerer, records[:limit], lists[way][:limit])
    add_intervals(report, f"{name}/answer", accuracy, [f"@{k}" for k in DEPTHS])
    add_intervals(report, f"{name}/EM", exact, [""])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25", half=True)
    parser.add_argument("--limit", type=int, default=60, help="questions of a set that are read for")
    args = parse(parser, arguments, limit=2)
    encoder, report = make_encoder(args), Report(args)
    records = [record for record in args.data.handbooks(args.half) if record["answers"]]
    measure(report, "handbooks", fill_collection(args, encoder.model.fingerprint), records, args.limit)
    pool = fill_pool(args, encoder)
    for name in ("squad", "nq", "trivia"):
        measure(report, f"{args.pool}/{name}", pool, args.data.questions(name, args.half), args.limit)
    report.write()


if __name__ == "__main__":
    main()
