"""Seconds to judge 3,610 questions with 100 passages each, by strings and by patterns, and to scan a whole pool.

The passages are those that BM25 finds in a pool; finding them is not counted.

    python -m experiments.speed.judge
"""

from __future__ import annotations

import gzip
import json
import resource
import time

from experiments.common.data import DATA, POOLS, arguments, pool_passages, questions
from experiments.common.machine import describe
from opendpr.search.tantivy import TantivyIndex
from opendpr.text import AnswerMatcher, AnswerScan
from opendpr.types import Question

QUESTIONS = 3_610
K = 100


def strings() -> list[Question]:
    """Questions of all three development sets, with their answers, over and over."""
    records = [record for name in ("squad", "nq", "trivia") for record in questions(name, "fit")]
    repeated = (records[number % len(records)] for number in range(QUESTIONS))
    return [Question(str(n), r["question"], tuple(r["answers"])) for n, r in enumerate(repeated)]


def patterns() -> list[Question]:
    """Questions of CuratedTREC, whose answers are regular expressions, over and over."""
    with gzip.open(DATA / "train" / "curatedtrec_answers_only.jsonl.gz", "rt", encoding="utf-8") as file:
        records = list(map(json.loads, file))
    repeated = (records[number % len(records)] for number in range(QUESTIONS))
    return [Question(str(n), r["question"], tuple(r["answers"]), "regex") for n, r in enumerate(repeated)]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pool", choices=POOLS, default="P25")
    args = parser.parse_args()
    index, texts = TantivyIndex(), {passage.number: passage.text for passage in pool_passages(args.pool)}
    index.update([], pool_passages(args.pool))
    print(json.dumps({"machine": describe(), "pool": args.pool, "passages": len(texts), "k": K}))
    for name, asked in (("string", strings()), ("regex", patterns())):
        found = [index.search(question.text, K).numbers[0].tolist() for question in asked]
        before, started = _megabytes(), time.perf_counter()
        right = timed_out = 0
        for question, numbers in zip(asked, found, strict=True):
            matcher = AnswerMatcher(question.answers, question.match)
            right += any([matcher(texts[number]) for number in numbers if number > 0])
            timed_out += matcher.timed_out
        seconds = time.perf_counter() - started
        judged = sum(number > 0 for numbers in found for number in numbers)
        about = {"questions": len(asked), "judged": judged, "seconds": round(seconds, 1), "timed_out": timed_out}
        print(json.dumps({"match": name, **about, "answered": right, "more_megabytes": round(_megabytes() - before)}))
    scanned = strings()[:1_000]
    scan = AnswerScan({question.id: AnswerMatcher(question.answers) for question in scanned})
    started = time.perf_counter()
    missing = scan.look_through(texts.values())
    about = {"questions": len(scanned), "missing": len(missing), "seconds": round(time.perf_counter() - started, 1)}
    print(json.dumps({"scan": args.pool, **about}))


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
