"""Whether questions of one's own make the confidence better: fitted on some about the handbooks, judged on others.

Three confidences answer the report half of `dev/handbooks`. `general` is fitted on the questions about Wikipedia alone,
so that manuals are new to it; `own` on the fit half of the handbooks alone, 89 questions, as `opendpr train answering`
does with a user's; `shipped` is the model's, fitted on both. What was read is kept in the folder of the work.

    python -m experiments.paper.own_questions
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from experiments.paper.fit import HANDBOOKS_SET, Reading, question_of, read_sets, reads_folder
from experiments.paper.handbooks import fill_collection
from opendpr.answering.confidence import Confidence
from opendpr.answering.decoder import Decoder
from opendpr.answering.decoding import Decoding
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error
from opendpr.evaluation.statistics import INTERVAL_LEVEL, bootstrap
from opendpr.fitting.answering import fit_cases
from opendpr.fitting.cases import Case, answered, is_answerable
from opendpr.fitting.settings import AnsweringSettings
from opendpr.model.directory import DEFAULT_MODEL

RETRIEVER = "hybrid"
REPORT = "handbooks-report"
"""Name under which what was read for the report half is kept."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Measure = Callable[[Floats, Bools, Bools], float]


class Judged(NamedTuple):
    """What a decoder makes of questions: (n,) each."""

    sure: Floats
    right: Bools
    given: Bools
    """Whether an answer was given."""


MEASURES: Mapping[str, Measure] = {
    "calibration error": lambda sure, right, answerable: expected_calibration_error(sure, right),
    "AUROC right": lambda sure, right, answerable: area_under_roc(sure, right),
    "AUROC answerable": lambda sure, right, answerable: area_under_roc(sure, answerable),
}


def fitted_decoder(cases: Sequence[Case], settings: AnsweringSettings, weight: float) -> Decoder:
    """The decoder that `opendpr train answering` fits, lambda aside."""
    fitted = fit_cases({RETRIEVER: cases}, settings, {"lambda": weight})
    return Decoder(Decoding.from_weights(fitted.retrieval), Confidence.from_stored(fitted.confidence[RETRIEVER]))


def judge(decoder: Decoder, cases: Sequence[Case]) -> Judged:
    """Confidence of the first answer, whether it is right, and whether it was given."""
    outcomes = [decoder.decode(case.spans, case.asked_question) for case in cases]
    return Judged(
        np.array([outcome.phrases[0].confidence if outcome.phrases else 0.0 for outcome in outcomes]),
        np.array([answered(case, decoder.decoding) for case in cases], dtype=bool),
        np.array([outcome.answerable for outcome in outcomes], dtype=bool),
    )


def resampled(measure: Measure, lots: Sequence[Judged], answerable: Bools, count: int) -> tuple[float, float, float]:
    """A measure of one confidence, or how much more that of the second is, with its bootstrap interval."""

    def value(chosen: NDArray[np.int64]) -> float:
        each = [measure(lot.sure[chosen], lot.right[chosen], answerable[chosen]) for lot in lots]
        return each[0] if len(each) == 1 else each[1] - each[0]

    generator, n = np.random.default_rng(0), len(answerable)
    drawn = np.array([value(generator.integers(0, n, n)) for _ in range(count)])
    edge = (1 - INTERVAL_LEVEL) / 2
    low, high = np.nanquantile(drawn, [edge, 1 - edge])
    return value(np.arange(n)), float(low), float(high)


def add_figures(
    report: Report, name: str, judged: Judged, *, answerable: Bools, expected: Bools, resamples: int
) -> None:
    """Report a confidence: its measures, and right answers, given ones and given where none is known."""
    for label, measure in MEASURES.items():
        report.add_interval(f"{name}/{label}", resampled(measure, [judged], answerable, resamples), "", scale=1)
    for label, values, chosen in (
        ("right", judged.right, expected),
        ("right and answered", judged.right & judged.given, expected),
        ("refused though right", judged.right & ~judged.given, expected),
        ("unanswerable answered", judged.given, ~expected),
    ):
        report.add_interval(f"{name}/{label}", bootstrap(values[chosen, None].astype(float))[0])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25")
    parser.add_argument("--limit", type=int, default=110, help="questions of each set about Wikipedia")
    parser.add_argument("-k", type=int, default=20, help="passages read for a question")
    parser.add_argument("--least-precision", type=float, default=0.6)
    parser.add_argument("--resamples", type=int, default=2_000, help="of the questions, for an interval")
    parser.add_argument("--removed-share", type=float, default=0.25, help="asked once more without the answer")
    tiny = {"model": DEFAULT_MODEL, "limit": 20, "k": 1, "least_precision": 0.0, "removed_share": 0.9, "resamples": 20}
    args = parse(parser, arguments, **tiny)  # enough right answers, and enough wrong ones, to fit to
    encoder = make_encoder(args)
    settings = AnsweringSettings(args.k, (RETRIEVER,), args.least_precision, args.removed_share)
    weight = encoder.model.retrieval.get("lambda", 1.0)
    report = Report(args, k=args.k)
    general, own, asked = read_all(args, settings)
    decoders = {
        "general": fitted_decoder(general, settings, weight),
        "own": fitted_decoder(own, settings, weight),
        "shipped": Decoder.for_model(encoder.model, RETRIEVER),
    }
    expected = np.array([bool(case.question.answers) for case in asked])
    answerable = np.array([is_answerable(case) for case in asked])
    judged = {name: judge(decoder, asked) for name, decoder in decoders.items()}
    for name, lot in judged.items():
        add_figures(report, name, lot, answerable=answerable, expected=expected, resamples=args.resamples)
    for name in ("general", "shipped"):
        for label, measure in MEASURES.items():
            difference = resampled(measure, [judged[name], judged["own"]], answerable, args.resamples)
            report.add_interval(f"own - {name}/{label}", difference, "", scale=1)
    report.add("own/questions", len({case.question.id for case in own}))
    report.add("report/questions", len(asked))
    report.write()


def read_all(args: argparse.Namespace, settings: AnsweringSettings) -> tuple[list[Case], list[Case], list[Case]]:
    """What was read for the questions about Wikipedia, for those of the fit half, and for those of the report half."""
    encoder = make_encoder(args)
    weight = encoder.model.retrieval.get("lambda", 1.0)
    folder = reads_folder(args, encoder, settings)
    reading, asking = Reading(encoder, settings, folder), Reading(encoder, replace(settings, removed_share=0.0), folder)
    pool, books = fill_pool(args, encoder), fill_collection(args, encoder.model.fingerprint)
    general = [
        case
        for name, questions in read_sets(args).items()
        for case in reading.cases(pool, name, questions, weight)[RETRIEVER]
    ]
    halves = {half: [*map(question_of, args.data.handbooks(half))] for half in ("fit", "report")}
    own = reading.cases(books, HANDBOOKS_SET, halves["fit"], weight)[RETRIEVER]
    return general, own, asking.cases(books, REPORT, halves["report"], weight)[RETRIEVER]


if __name__ == "__main__":
    main()
