"""The whole pipeline on the report halves of the development questions (paper, Tables 2 and 4).

Retrieval by dense, BM25 and hybrid over a pool; answers by each of them and the reader, for the first questions of each
set and several numbers of passages read; why answers are wrong. Leaves two runs: `opendpr report` makes a page of them.

    python -m experiments.paper.evaluate --pool P150 --limit 1000
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from experiments.common.runs import add_runs
from opendpr.evaluation.judges import AnswerJudge
from opendpr.evaluation.task import Task, evaluate

QUESTION_SETS = ("squad", "nq", "trivia")
SYSTEMS = ("hybrid", "dense", "bm25")
PASSAGES_READ = (5, 10, 20)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P150")
    help = "questions of a set that are answered, not only retrieved"
    parser.add_argument("--limit", type=int, default=1_000, help=help)
    args = parse(parser, arguments, limit=2)
    encoder = make_encoder(args)
    directory, runtime = fill_pool(args, encoder), encoder.runtime
    folder = args.work / f"{directory.name}-runs"
    files = [args.data.write_questions(name, "report", folder) for name in QUESTION_SETS]
    report = Report(args)
    for name, limit, judge in (
        ("retrieval", None, AnswerJudge()),
        ("answers", args.limit, AnswerJudge(read=PASSAGES_READ)),
    ):
        started, run = time.perf_counter(), folder / f"{name}.jsonl"
        evaluate(directory, Task(files, SYSTEMS, limit, args.model, runtime), judge, output=run)
        print(f"\n# {run.name}: {time.perf_counter() - started:.0f} s")
        add_runs(report, [run], prefix=f"{name}/")
    report.write()


if __name__ == "__main__":
    main()
