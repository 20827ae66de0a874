"""Exact match and F1 of the reader on `dev/squad.jsonl` with the gold paragraph given.

python -m experiments.paper.reader                 # figures, report half
python -m experiments.paper.reader --half fit      # for choosing
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from experiments.common.command import command_line, parse
from experiments.common.data import Record
from experiments.common.report import Report
from opendpr.answering import outcome
from opendpr.evaluation import bootstrap
from opendpr.iteration import batched
from opendpr.model.directory import find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.text import exact_match, f1
from opendpr.types import Hit, Passage

READ_QUESTIONS = 32
"""Questions read at once."""


def gold_hit(record: Record, *, titled: bool) -> Hit:
    """The gold paragraph of a question as a passage."""
    title = record["title"] if titled else ""
    return Hit(Passage(0, record["document_id"], title, record["passage"], 0), 0.0)


def score(reader: BertReader, records: Sequence[Record], *, titled: bool) -> tuple[list[tuple[float, float]], float]:
    """(exact match, F1) of each question, and the seconds that reading took."""
    scores, seconds = [], 0.0
    for batch in batched(records, READ_QUESTIONS):
        hits = [[gold_hit(record, titled=titled)] for record in batch]
        started = time.perf_counter()
        spans = reader.read([record["question"] for record in batch], hits)
        seconds += time.perf_counter() - started
        for record, candidates in zip(batch, spans, strict=True):
            answers = outcome(candidates).answers
            text = answers[0].text if answers else ""
            scores.append((float(exact_match(text, record["answers"])), f1(text, record["answers"])))
    return scores, seconds


def measure(args: argparse.Namespace) -> None:
    """Report both measures with their intervals, and the rate."""
    reader = BertReader(find_model(args.model), RuntimeSettings(precision=args.precision))
    records = args.data.questions("squad", args.half)
    report = Report(args, titles=args.titles, questions=len(records))
    scores, seconds = score(reader, records, titled=args.titles)
    for name, interval in zip(("EM", "F1"), bootstrap(scores), strict=True):
        report.add_interval(name, interval)
        mean, low, high = (100 * value for value in interval)
        print(f"{name} {mean:.2f}  (95 % bootstrap interval {low:.1f} to {high:.1f})")
    report.add("paragraphs", len(records) / seconds, "/s")
    report.write()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, half=True)
    parser.add_argument("--titles", action="store_true", help="give the paragraph's title to the reader")
    measure(parse(parser, arguments))


if __name__ == "__main__":
    main()
