"""Questions about manuals, over a folder of files as they are: right answers by wording, and refusals.

`dev/handbooks` is unpacked and added as a user adds a folder; its questions are asked with default settings. Plain and
informal wordings of answerable questions, questions that no file answers, and how often a question and its second
wording get the same answer; a table says what went wrong.

    python -m experiments.paper.handbooks                     # report half
    python -m experiments.paper.handbooks --half fit --limit 60
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.data import Record
from experiments.common.failures import ANSWERABLE, UNANSWERABLE, Verdict, print_verdicts, verdict
from experiments.common.report import Report
from opendpr.answering.opening import open_answerer
from opendpr.answering.pipeline import Answerer
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error
from opendpr.evaluation.statistics import bootstrap
from opendpr.model.runtime import RuntimeSettings
from opendpr.text import AnswerMatcher, exact_match, normalize_answer
from opendpr.types import Hit, Outcome

SHOWN_PASSAGES = 5
"""Passages that a user looks at."""


class AskedQuestion(NamedTuple):
    """A question of the handbooks and what came of it."""

    record: Record
    outcome: Outcome
    retrieved: bool
    """Whether a passage that was read holds an answer."""
    shown: bool
    """Whether one of the first five does."""
    verdict: Verdict

    @property
    def text(self) -> str:
        """The first answer, empty without one."""
        return self.outcome.phrases[0].text if self.outcome.phrases else ""

    @property
    def confidence(self) -> float:
        """How sure the first answer is."""
        return self.outcome.phrases[0].confidence if self.outcome.phrases else 0.0

    @property
    def right(self) -> bool:
        """Whether the first answer is one of those expected."""
        return bool(self.record["answers"]) and exact_match(self.text, self.record["answers"])


def fill_collection(args: argparse.Namespace, fingerprint: str) -> Path:
    """The handbooks as a collection, in sync with the files of the archive."""
    folder = args.data.unpack_handbooks(args.work / "handbooks")
    directory: Path = args.work / f"handbooks-{fingerprint[:8]}-{args.precision}"
    options = ["--model", args.model, "--precision", args.precision]
    command = [sys.executable, "-m", "opendpr", "add", str(directory), str(folder), *options]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return directory


def ask(answerer: Answerer, records: Sequence[Record], k: int) -> Iterator[AskedQuestion]:
    """Ask each question with k passages read."""
    for record in records:
        hits = answerer.retrieve([record["question"]], k)
        [spans] = answerer.read([record["question"]], hits)
        matcher = AnswerMatcher(record["answers"])
        good = [bool(record["answers"]) and _holds(matcher, hit) for hit in hits[0]]
        outcome = answerer.outcome(spans, record["question"])
        yield AskedQuestion(record, outcome, any(good), any(good[:SHOWN_PASSAGES]), verdict(record, hits[0], outcome))


def _holds(matcher: AnswerMatcher, hit: Hit) -> bool:
    return matcher(hit.passage.text)


def add_figures(report: Report, asked: Sequence[AskedQuestion]) -> None:
    """Report right answers by wording, refusals, agreement of wordings and calibration."""
    styles = {style: [item for item in asked if item.record["style"] == style] for style in ("plain", "informal")}
    for style, questions in styles.items():
        rows = [(item.retrieved, item.shown, item.right, item.right and item.outcome.answerable) for item in questions]
        names = ("answer@read", f"answer@{SHOWN_PASSAGES}", "right", "right and answered")
        for name, interval in zip(names, bootstrap(np.array(rows, dtype=float)), strict=True):
            report.add_interval(f"{style}/{name}", interval)
        report.add(f"{style}/questions", len(questions))
    none = [item for item in asked if not item.record["answers"]]
    answered = np.array([[item.outcome.answerable] for item in none], dtype=float)
    report.add_interval("unanswerable/answered", bootstrap(answered)[0])
    report.add("unanswerable/questions", len(none))
    sure, right = [item.confidence for item in asked], [float(item.right) for item in asked]
    report.add("all/calibration error", expected_calibration_error(sure, right))
    report.add("all/AUROC answerable", area_under_roc(sure, [float(bool(item.record["answers"])) for item in asked]))
    if 0 < sum(right) < len(right):
        report.add("all/AUROC right", area_under_roc(sure, right))
    same = list(_agreements({item.record["id"]: item for item in asked}))
    report.add_interval("wordings/same answer", bootstrap(np.array([same], dtype=float).T)[0])
    report.add("wordings/pairs", len(same))


def count_verdicts(asked: Sequence[AskedQuestion]) -> dict[str, Counter[Verdict]]:
    """How often each verdict occurs, by the style of the question."""
    counts: dict[str, Counter[Verdict]] = {"plain": Counter(), "informal": Counter(), "unanswerable": Counter()}
    for item in asked:
        counts[item.record["style"] if item.record["answers"] else "unanswerable"][item.verdict] += 1
    return counts


def add_verdicts(report: Report, counts: Mapping[str, Counter[Verdict]]) -> None:
    """Report how often each verdict occurs that a kind of question can have."""
    for style, column in counts.items():
        for name in UNANSWERABLE if style == "unanswerable" else ANSWERABLE:
            report.add(f"{style}/verdict/{name}", column[name])


def _agreements(asked: Mapping[str, AskedQuestion]) -> Iterator[bool]:
    """For each second wording whether it got the answer that the first got."""
    for item in asked.values():
        if first := asked.get(item.record.get("paraphrase_of", "")):
            yield normalize_answer(item.text) == normalize_answer(first.text)


def print_answers(asked: Sequence[AskedQuestion]) -> None:
    """A line for each question, so that failures can be read."""
    for item in asked:
        shown = "answered" if item.outcome.answerable else "refused"
        answer = f"{shown:9}{item.confidence:.2f}  {item.record['question']}  ->  {item.text!r}"
        print(f"{item.verdict:35}{answer}  ({' | '.join(item.record['answers'])})")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, half=True)
    parser.add_argument("--limit", type=int, help="questions; all without")
    parser.add_argument("-k", type=int, default=20, help="passages read for a question")
    parser.add_argument("--answers", action="store_true", help="print every question with its answer")
    args = parse(parser, arguments, k=4)
    directory = fill_collection(args, make_encoder(args).model.fingerprint)
    records = args.data.handbooks(args.half)[: args.limit]
    report = Report(args, k=args.k)
    answerer = open_answerer(directory, args.model, runtime=RuntimeSettings(precision=args.precision))
    with answerer.collection:
        asked = list(ask(answerer, records, args.k))
    if args.answers:
        print_answers(asked)
    add_figures(report, asked)
    counts = count_verdicts(asked)
    print_verdicts(counts)
    add_verdicts(report, counts)
    print(json.dumps({name: report.value(name) for name in ("plain/right", "informal/right", "unanswerable/answered")}))
    report.write()


if __name__ == "__main__":
    main()
