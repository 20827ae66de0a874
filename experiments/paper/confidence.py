"""How far the confidence can be believed: calibration and refusal on the report halves, over a pool.

Questions that the pool answers, the same with every passage that holds their answer taken away, and questions that
their paragraph does not answer. The confidence was fitted on the fit halves, by `opendpr train answering`; nothing
here chooses anything. `all` is the mix it was fitted on: the sets together, a quarter of the questions with answers
also without them.

    python -m experiments.paper.confidence --pool P150 --limit 500
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.data import Data, Record
from experiments.common.pools import open_pool
from experiments.common.report import Report
from opendpr.answering.asked_question import asked_question
from opendpr.answering.borders import BorderReader
from opendpr.answering.confidence import Confidence, calibrated
from opendpr.answering.decoding import Decoding
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error
from opendpr.fitting.answering import make_retrievers
from opendpr.fitting.cases import Case, answered, read_cases
from opendpr.fitting.settings import AnsweringSettings
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.search.live import LiveSnapshot
from opendpr.types import Question

QUESTION_SETS = ("squad", "nq", "trivia", "squad_unanswerable")
REMOVED, UNANSWERABLE = "squad without answer", "squad_unanswerable"
REMOVED_SHARE = 0.25
"""Share of the questions with answers that count in `all` without them too, as in fitting."""


def sample(data: Data, name: str, limit: int | None) -> list[Question]:
    """Questions of a report half, drawn with seed 0."""
    records = data.questions(name, "report")
    order = np.random.default_rng(0).permutation(len(records))[:limit]
    return [_question(records[place]) for place in order.tolist()]


def _question(record: Record) -> Question:
    gold = (record["document_id"],) if record.get("document_id") else ()
    return Question(record["id"], record["question"], tuple(record["answers"]), document_ids=gold)


class Verdicts:
    """How sure the answers to many questions are, and which of them are right."""

    def __init__(self, cases: Sequence[Case], decoding: Decoding, confidence: Confidence | None) -> None:
        outcomes = [calibrated(case.spans, decoding, confidence, case.asked_question) for case in cases]
        self.sure = np.array([outcome.phrases[0].confidence if outcome.phrases else 0.0 for outcome in outcomes])
        self.right = np.array([answered(case, decoding) for case in cases], dtype=bool)
        self.answered = np.array([outcome.answerable for outcome in outcomes], dtype=bool)

    def figures(self) -> Iterator[tuple[str, float, str]]:
        """Name, value and unit of each figure that these questions allow."""
        yield "questions", len(self.sure), ""
        yield "right", 100 * self.right.mean(), "%"
        yield "confidence", 100 * self.sure.mean(), "%"
        yield "calibration error", expected_calibration_error(self.sure, self.right), ""
        if self.right.any() and not self.right.all():
            yield "AUROC", area_under_roc(self.sure, self.right), ""
        yield "answered", 100 * self.answered.mean(), "%"
        if self.answered.any():
            yield "precision", 100 * self.right[self.answered].mean(), "%"


def add_figures(report: Report, label: str, verdicts: Mapping[str, Verdicts]) -> None:
    """Report the figures of each set, and how well answerable questions are separated from others."""
    for name, values in verdicts.items():
        written = []
        for figure, value, unit in values.figures():
            report.add(f"{label}/{name}/{figure}", value, unit)
            written.append(f"{figure} {value:.4g}{unit and ' ' + unit}")
        print(f"{label:8} {name:24} {', '.join(written)}")
    answerable = verdicts["squad"].sure
    for kinds in ((REMOVED,), (UNANSWERABLE,), (REMOVED, UNANSWERABLE)):
        others = np.concatenate([verdicts[kind].sure for kind in kinds])
        positive = np.repeat([1.0, 0.0], [len(answerable), len(others)])
        area = area_under_roc(np.concatenate([answerable, others]), positive)
        report.add(f"{label}/squad above {' and '.join(kinds)}", area)
        print(f"AUROC of squad's questions against {' and '.join(kinds)}: {area:.3f}")


def read_sets(args: argparse.Namespace, encoder: BertEncoder) -> dict[str, list[Case]]:
    """By set, the spans read for each question; with `all` and, where answers were removed, sets without them."""
    settings = AnsweringSettings(args.k, [args.retriever], removed_share=1.0)
    cases: dict[str, list[Case]] = {}
    mixed: list[Case] = []
    with open_pool(args, encoder) as collection:
        live = LiveSnapshot(collection)
        reader, ask = (
            BorderReader(collection, BertReader(encoder.model, encoder.runtime)),
            partial(asked_question, live=live),
        )
        retrievers = make_retrievers(live, encoder, [args.retriever], encoder.model.hybrid_weight)
        for name in QUESTION_SETS:
            questions = sample(args.data, name, args.limit)
            read = read_cases(questions, retrievers, reader, settings=settings, ask=ask)[args.retriever]
            cases[name] = [case for case in read if not case.removed]
            removed = [case for case in read if case.removed]
            if removed:
                cases[f"{name} without answer"] = removed
            mixed += cases[name] + removed[: round(REMOVED_SHARE * len(removed))]
    return {**cases, "all": mixed}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P150")
    parser.add_argument("--retriever", default="hybrid", choices=("dense", "bm25", "hybrid"))
    parser.add_argument("--limit", type=int, default=500, help="questions of each set")
    parser.add_argument("-k", type=int, default=20)
    args = parse(parser, arguments, limit=4, k=4)
    encoder = make_encoder(args)
    report = Report(args, retriever=args.retriever, k=args.k, seed=0)
    cases, decoding = read_sets(args, encoder), Decoding.from_weights(encoder.model.retrieval)
    add_figures(report, "reader", {name: Verdicts(of_set, decoding, None) for name, of_set in cases.items()})
    if stored := encoder.model.confidence.get(args.retriever):
        confidence = Confidence.from_stored(stored)
        verdicts = {name: Verdicts(of_set, decoding, confidence) for name, of_set in cases.items()}
        add_figures(report, "fitted", verdicts)
        report.add("threshold", float(stored["threshold"]))
    report.write()


if __name__ == "__main__":
    main()
