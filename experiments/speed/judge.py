"""Passages a second of judging by answer, and of scanning a whole pool for the answers.

The passages are those that BM25 finds in a pool; finding them is not counted.

    python -m experiments.speed.judge
"""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping, Sequence

from experiments.common.command import command_line, parse
from experiments.common.data import Data
from experiments.common.report import Report
from experiments.paper.evaluate import QUESTION_SETS
from opendpr.search.tantivy import TantivyIndex
from opendpr.text import AnswerMatcher, AnswerScan
from opendpr.types import Question

K = 100
SCANNED_QUESTIONS = 1_000


def string_questions(data: Data, count: int) -> list[Question]:
    """Questions of all three development sets, repeated until there are enough."""
    records = [record for name in QUESTION_SETS for record in data.questions(name, "fit")]
    repeated = (records[number % len(records)] for number in range(count))
    return [Question(str(n), r["question"], tuple(r["answers"])) for n, r in enumerate(repeated)]


def pattern_questions(data: Data, count: int) -> list[Question]:
    """Questions of CuratedTREC, whose answers are regular expressions, repeated until there are enough."""
    questions = data.answers_only("curatedtrec")
    return [questions[number % len(questions)] for number in range(count)]


def judge(
    report: Report, questions: Sequence[Question], rows: Sequence[Sequence[int]], texts: Mapping[int, str]
) -> None:
    """Report the seconds that judging takes, and what it finds."""
    name, megabytes, started = questions[0].match, _megabytes(), time.perf_counter()
    answered = timed_out = 0
    for question, numbers in zip(questions, rows, strict=True):
        matcher = AnswerMatcher(question.answers, question.match)
        answered += any([matcher(texts[number]) for number in numbers])
        timed_out += matcher.timed_out
    seconds, judged = time.perf_counter() - started, sum(map(len, rows))
    report.add(f"{name}/seconds", seconds, "s")
    report.add(f"{name}/judged", judged, "passages")
    report.add(f"{name}/answered", answered, "questions")
    report.add(f"{name}/timed out", timed_out, "passages")
    report.add(f"{name}/memory", _megabytes() - megabytes, "MB")
    print(f"{name}: {len(questions):,} questions, {judged:,} passages judged in {seconds:.1f} s, {answered:,} answered")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25", precision=None)
    parser.add_argument("--questions", type=int, default=3_610)
    args = parse(parser, arguments, questions=20)
    passages = list(args.data.pool_passages(args.pool))
    index, texts = TantivyIndex(), {passage.number: passage.text for passage in passages}
    index.update([], passages)
    report = Report(args, passages=len(texts), k=K)
    strings = string_questions(args.data, args.questions)
    for questions in (strings, pattern_questions(args.data, args.questions)):
        rows = [index.search(question.text, K).numbers[0] for question in questions]
        judge(report, questions, [numbers[numbers > 0].tolist() for numbers in rows], texts)
    scan = AnswerScan({question.id: AnswerMatcher(question.answers) for question in strings[:SCANNED_QUESTIONS]})
    started = time.perf_counter()
    missing = scan.look_through(texts.values())
    report.add("scan/seconds", time.perf_counter() - started, "s")
    report.add("scan/missing", len(missing), "questions")
    report.write()


if __name__ == "__main__":
    main()
