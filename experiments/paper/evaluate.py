"""The whole pipeline on the report halves of the development questions: what the README and docs/results.md show.

Retrieval by dense, BM25 and hybrid over a pool; answers by each of them and the reader, for the first questions of each
set and several numbers of passages read; why answers are wrong. Leaves two runs, which `opendpr report` makes a page
of, and prints the table of answers as Markdown, in the form of the paper's Table 4.

    python -m experiments.paper.evaluate --pool P150 --limit 1000
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from experiments.common.data import POOLS, arguments, questions
from experiments.common.machine import describe
from experiments.paper.retrieval import open_pool
from opendpr.evaluation.judges import AnswerJudge
from opendpr.evaluation.run import read_run
from opendpr.evaluation.summary import summary
from opendpr.evaluation.task import Task, evaluate
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings

SETS = ("squad", "nq", "trivia")
SYSTEMS = ("dense", "bm25", "hybrid")
READ = (5, 10, 20)
NAMES = {"bm25": "BM25 + reader", "dense": "DPR + reader", "hybrid": "BM25+DPR + reader"}


def write_questions(name: str, directory: Path, half: str = "report") -> Path:
    """A half of a set as a file of its own."""
    path = directory / f"{name}.jsonl"
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in questions(name, half))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def show(run: Path) -> None:
    for name, of in summary([read_run(run)])["sets"].items():
        print(f"\n{name}: {of['questions']} questions")
        for figure in of["figures"]:
            scale = 100 if figure["mean"] <= 1 else 1
            low, mean, high = (scale * figure[key] for key in ("low", "mean", "high"))
            print(f"  {figure['system']:8} {figure['measure']:13} {mean:5.1f}  ({low:.1f} to {high:.1f})")
        for pair in of["differences"]:
            told = f"{100 * pair['mean']:+5.1f}  ({100 * pair['low']:+.1f} to {100 * pair['high']:+.1f})"
            print(f"  {pair['a'] + ' - ' + pair['b']:16} {pair['measure']:13} {told}  p {pair['p']:.4f}")
        for system, by_read in of["failures"].items():
            for read, reasons in by_read.items():
                told = ", ".join(f"{reason} {found['count']}" for reason, found in reasons.items())
                print(f"  {system} wrong after {read}: {told}")


def show_table(run: Path) -> None:
    """Exact match and F1 with intervals: a row for each system and number of passages read, a column for each set."""
    sets = summary([read_run(run)])["sets"]
    cells = {}
    for name, of in sets.items():
        for figure in of["figures"]:
            mean, low, high = (f"{100 * figure[key]:.1f}" for key in ("mean", "low", "high"))
            cells[name, figure["system"], figure["measure"]] = f"{mean} ({low} to {high})"
    heads = " | ".join(f"{name}, {of['questions']:,} questions" for name, of in sets.items())
    for measure in ("EM", "F1"):
        print(f"\n| {measure} | passages read | {heads} |")
        print(f"|---|---|{'---|' * len(sets)}")
        for system in NAMES:
            for read in READ:
                row = " | ".join(cells.get((name, system, f"{measure}@{read}"), "") for name in sets)
                print(f"| {NAMES[system]} | {read} | {row} |")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pool", choices=POOLS, default="P150")
    parser.add_argument("--precision", default="auto")
    parser.add_argument(
        "--limit", type=int, default=1_000, help="questions of a set that are answered, not only retrieved"
    )
    args = parser.parse_args()
    runtime = RuntimeSettings(precision=args.precision)
    encoder = BertEncoder(find_model(args.model), runtime)
    collection = open_pool(args, encoder)
    directory = collection.directory
    collection.close()
    folder = args.work / f"{directory.name}-runs"
    folder.mkdir(parents=True, exist_ok=True)
    files = [write_questions(name, folder) for name in SETS]
    print(json.dumps({"machine": describe(), "pool": args.pool, "model": args.model, "precision": args.precision}))
    for name, task, judge in (
        ("retrieval", Task(files, SYSTEMS, None, args.model, runtime), AnswerJudge()),
        ("answers", Task(files, SYSTEMS, args.limit, args.model, runtime), AnswerJudge(read=READ)),
    ):
        started, run = time.perf_counter(), folder / f"{name}.jsonl"
        evaluate(directory, task, judge, run)
        print(f"\n# {run.name}: {time.perf_counter() - started:.0f} s")
        show(run)
    show_table(run)


if __name__ == "__main__":
    main()
