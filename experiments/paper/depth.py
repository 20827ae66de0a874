"""How many passages to read (paper section 6.1, footnote 3 and table 4): exact match and confidence by depth.

Each question's best passages are read once; then only the first 5, 10 ... of them count, or as many as `ask` reads
until it is sure. What that gives more than the greatest depth comes with its interval, over the same questions.
The handbooks are asked beside the pool.

    python -m experiments.paper.depth --pool P150 --precision bf16
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from experiments.paper.fit import HANDBOOKS_SET, QUESTION_SETS, Reading, question_of
from experiments.paper.handbooks import fill_collection
from opendpr.answering.decoder import Decoder
from opendpr.answering.stopping import ENOUGH_CONFIDENCE, FIRST_PASSAGES
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error
from opendpr.evaluation.statistics import bootstrap
from opendpr.fitting.cases import Case, answered
from opendpr.fitting.settings import AnsweringSettings
from opendpr.types import Question

RETRIEVER = "hybrid"


class Judged(NamedTuple):
    """What a decoder makes of questions with some of their passages: (n,) each."""

    sure: np.ndarray[tuple[int], np.dtype[np.float64]]
    right: np.ndarray[tuple[int], np.dtype[np.float64]]
    answered: np.ndarray[tuple[int], np.dtype[np.float64]]


def first_passages(case: Case, depth: int) -> Case:
    """A case as if only its `depth` best passages had been read."""
    ranked = sorted({(-span.hit.score, span.hit.passage.number) for span in case.spans})
    kept = {number for _, number in ranked[:depth]}
    return case._replace(spans=[span for span in case.spans if span.hit.passage.number in kept])


def judge(decoder: Decoder, cases: Sequence[Case]) -> Judged:
    """The first answers: how sure, whether right, whether given."""
    outcomes = [decoder.decode(case.spans, case.asked_question) for case in cases]
    return Judged(
        np.array([outcome.phrases[0].confidence if outcome.phrases else 0.0 for outcome in outcomes]),
        np.array([float(answered(case, decoder.decoding)) for case in cases]),
        np.array([float(outcome.answerable) for outcome in outcomes]),
    )


def add_figures(report: Report, name: str, cases: Sequence[Case], depths: Sequence[int], decoder: Decoder) -> None:
    """Report a set of questions by depth, and what each depth gives more than the greatest."""
    judged: dict[int | str, Judged] = {
        depth: judge(decoder, [first_passages(case, depth) for case in cases]) for depth in depths
    }
    most = judged[max(depths)]
    first = judge(decoder, [first_passages(case, FIRST_PASSAGES) for case in cases])
    sure = (first.sure >= ENOUGH_CONFIDENCE) & (first.answered > 0)
    stopped = [np.where(sure, early, late) for early, late in zip(first, most, strict=True)]
    report.add(f"{name}/until sure/passages", float(np.where(sure, FIRST_PASSAGES, max(depths)).mean()))
    report.add(f"{name}/until sure/stopped", 100 * float(sure.mean()), "%")
    judged["until sure"] = Judged(*stopped)
    for depth, lot in judged.items():
        columns = np.stack([lot.right, lot.right * lot.answered, lot.answered, lot.right - most.right], axis=1)
        labels = ("right", "right and answered", "answered", f"right, more than {max(depths)}")
        for label, interval in zip(labels, bootstrap(columns), strict=True):
            report.add_interval(f"{name}/{depth}/{label}", interval)
        report.add(f"{name}/{depth}/calibration error", expected_calibration_error(lot.sure, lot.right))
        if 0 < lot.right.sum() < len(lot.right):
            report.add(f"{name}/{depth}/AUROC right", area_under_roc(lot.sure, lot.right))
        shown = {label: round(report.value(f"{name}/{depth}/{label}"), 3) for label in (*labels, "calibration error")}
        print(f"{name:10} {depth:>10}", shown, flush=True)


def questions_of(args: argparse.Namespace, name: str) -> list[Question]:
    """Questions spread over a half."""
    records = args.data.handbooks(args.half) if name == HANDBOOKS_SET else args.data.questions(name, args.half)
    return [question_of(record) for record in records[:: max(1, len(records) // args.limit)][: args.limit]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25", half=True)
    parser.add_argument("--limit", type=int, default=150, help="questions of each set")
    parser.add_argument("--depths", type=int, nargs="+", default=[3, 5, 8, 10, 12, 15, 20])
    args = parse(parser, arguments, limit=4, depths=[1, 2])
    encoder = make_encoder(args)
    settings = AnsweringSettings(max(args.depths), (RETRIEVER,), removed_share=0.0)
    weight = encoder.model.retrieval.get("lambda", 1.0)
    folder: Path = args.work / f"depth-{encoder.model.name}-{args.pool}-{args.half}-{args.limit}-{max(args.depths)}"
    reading, report = Reading(encoder, settings, folder), Report(args, limit=args.limit)
    pool, books = fill_pool(args, encoder), fill_collection(args, encoder.model.fingerprint)
    for name in (*QUESTION_SETS, HANDBOOKS_SET):
        directory = books if name == HANDBOOKS_SET else pool
        cases = reading.cases(directory, name, questions_of(args, name), weight)[RETRIEVER]
        add_figures(report, name, cases, args.depths, Decoder.for_model(encoder.model, RETRIEVER))
    report.write()


if __name__ == "__main__":
    main()
