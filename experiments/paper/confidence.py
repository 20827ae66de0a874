"""How far the confidence can be believed: calibration and refusal on the report halves, over a pool.

Questions that the pool answers, the same with every passage that holds their answer taken away, and questions that
their paragraph does not answer. The confidence was fitted on the fit halves, by `opendpr train answering`; nothing
here chooses anything. `all` is the mix it was fitted on: the sets together, a quarter of the questions with answers
also without them.

    python -m experiments.paper.confidence --pool P150 --limit 500
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from experiments.common.data import POOLS, arguments, questions
from experiments.common.machine import describe
from experiments.paper.retrieval import open_pool
from opendpr.answering.confidence import Confidence, calibrated
from opendpr.answering.decoding import Decoding
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error
from opendpr.fitting.answering import AnsweringSettings, Case, answered, make_retrievers, read_cases
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.retrievers import Snapshot
from opendpr.types import Outcome, Question

SETS = ("squad", "nq", "trivia", "squad_unanswerable")
ANSWERED = SETS[:3]
MIX = 0.25
"""Of the questions with answers, those that count in `all` without them too, as in fitting."""


def asked(name: str, limit: int | None) -> list[Question]:
    """Questions of a report half, drawn with seed 0."""
    records = questions(name, "report")
    order = np.random.default_rng(0).permutation(len(records))[:limit]
    return [
        Question(each["id"], each["question"], tuple(each["answers"]), document_ids=_gold(each))
        for each in (records[place] for place in order.tolist())
    ]


def _gold(record: dict) -> tuple[str, ...]:
    return (record["document_id"],) if record.get("document_id") else ()


class Rows:
    """Confidence and verdict of many questions."""

    def __init__(self, cases: Sequence[Case], outcomes: Sequence[Outcome], decoding: Decoding) -> None:
        self.sure = np.array([of.answers[0].confidence if of.answers else 0.0 for of in outcomes])
        self.right = np.array([answered(case, decoding) for case in cases], dtype=bool)
        self.given = np.array([of.answerable for of in outcomes], dtype=bool)

    def line(self, name: str) -> str:
        error = expected_calibration_error(self.sure, self.right)
        precision = f"{100 * self.right[self.given].mean():.1f}" if self.given.any() else "-"
        return (
            f"{name:24}{len(self.sure):7}{100 * self.right.mean():8.1f}{100 * self.sure.mean():9.1f}{error:8.3f}"
            f"{area_under_roc(self.sure, self.right):8.3f}{100 * self.given.mean():10.1f}{precision:>11}"
        )


def show(title: str, cases: dict[str, list[Case]], decoding: Decoding, confidence: Confidence | None) -> None:
    found = {
        name: Rows(of, [calibrated(case.spans, decoding, confidence) for case in of], decoding)
        for name, of in cases.items()
    }
    print(f"\n{title}")
    print(
        f"{'questions':24}{'number':>7}{'right':>8}{'sure':>9}{'ECE':>8}{'AUROC':>8}{'answered':>10}{'precision':>11}"
    )
    for name, rows in found.items():
        print(rows.line(name))
    plain, removed = found["squad"], found["squad without answer"]
    for told, others in (
        ("without their answer", [removed]),
        ("that are not answerable", [found["squad_unanswerable"]]),
        ("of both kinds", [removed, found["squad_unanswerable"]]),
    ):
        sure = np.concatenate([plain.sure, *(rows.sure for rows in others)])
        positive = np.concatenate([np.ones(len(plain.sure)), *(np.zeros(len(rows.sure)) for rows in others)])
        print(f"AUROC of squad's questions against those {told}: {area_under_roc(sure, positive):.3f}")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pool", choices=POOLS, default="P150")
    parser.add_argument("--precision", default="auto", help="of the network; the pool is encoded with it too")
    parser.add_argument("--retriever", default="hybrid", choices=("dense", "bm25", "hybrid"))
    parser.add_argument("--limit", type=int, default=500, help="questions of each set")
    parser.add_argument("-k", type=int, default=20)
    args = parser.parse_args()
    model, runtime = find_model(args.model), RuntimeSettings(precision=args.precision)
    encoder, reader = BertEncoder(model, runtime), BertReader(model, runtime)
    snapshot = Snapshot(open_pool(args, encoder))
    decoding, stored = Decoding.of(model.retrieval), model.confidence.get(args.retriever)
    retrievers = make_retrievers(snapshot, encoder, [args.retriever], model.hybrid_weight)
    settings = AnsweringSettings(args.k, [args.retriever], removed_share=1.0)
    cases: dict[str, list[Case]] = {}
    mixed: list[Case] = []
    for name in SETS:
        read = read_cases(asked(name, args.limit), retrievers, reader, settings)[args.retriever]
        cases[name] = [case for case in read if not case.removed]
        if removed := [case for case in read if case.removed]:
            cases[f"{name} without answer"] = removed
        mixed += cases[name] + removed[: round(MIX * len(removed))]
    cases["all"] = mixed
    about = {"machine": describe(), "pool": args.pool, "model": args.model, "precision": args.precision}
    print(json.dumps({**about, "retriever": args.retriever, "k": args.k, "limit": args.limit, "seed": 0}))
    show("the reader's own probability", cases, decoding, None)
    if stored:
        show(f"fitted, threshold {stored['threshold']:.3f}", cases, decoding, Confidence.of(stored))


if __name__ == "__main__":
    main()
