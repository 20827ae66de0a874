"""A trained encoder beside the one it started from, paired on the report halves of the development questions.

Dense retrieval by both, BM25 and hybrid by the trained one, over a pool; what share of the starting model's misses is
gone, and the differences that matter with their intervals.

    .venv/bin/opendpr import model PATH_OF_ALL_MINILM -o .bench/start
    python -m experiments.paper.compare --start .bench/start --pool P150
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from experiments.common.data import POOLS, arguments
from experiments.common.machine import describe
from experiments.paper.evaluate import SETS, SYSTEMS, write_questions
from experiments.paper.retrieval import open_pool
from opendpr.evaluation.judges import AnswerJudge
from opendpr.evaluation.run import read_run
from opendpr.evaluation.summary import summary
from opendpr.evaluation.task import Task, evaluate
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings

KS = (1, 5, 20, 100)
PAIRS = (
    ("trained:dense", "start:dense"),
    ("trained:dense", "trained:bm25"),
    ("trained:hybrid", "trained:dense"),
    ("trained:hybrid", "trained:bm25"),
)


def run_of(name: str, model: str, systems: tuple[str, ...], args: argparse.Namespace) -> Path:
    """The run of a model over the pool, made if it is not there."""
    runtime = RuntimeSettings(precision=args.precision)
    collection = open_pool(args, BertEncoder(find_model(model), runtime))
    directory = collection.directory
    collection.close()
    folder = args.work / f"{directory.name}-{args.half}"
    folder.mkdir(parents=True, exist_ok=True)
    files = [write_questions(of, folder, args.half) for of in SETS]
    started, run = time.perf_counter(), folder / f"{name}.jsonl"
    evaluate(directory, Task(files, systems, None, model, runtime), AnswerJudge(), run)
    print(f"{run}: {time.perf_counter() - started:.0f} s", flush=True)
    return run


def show(name: str, of: dict[str, Any]) -> None:
    """The figures of a question set, and the differences of `PAIRS`."""
    means = {(figure["system"], figure["measure"]): figure for figure in of["figures"]}
    kinds = [kind for kind in ("answer", "document") if any(m.startswith(f"{kind}@") for _, m in means)]
    print(f"\n{name}: {of['questions']} questions, first {' / '.join(map(str, KS))}")
    for kind in kinds:
        for system in dict.fromkeys(system for system, _ in means):
            figures = [means[system, f"{kind}@{k}"] for k in KS]
            told = " / ".join(f"{100 * figure['mean']:.1f}" for figure in figures)
            spans = ", ".join(f"{100 * figure['low']:.1f} to {100 * figure['high']:.1f}" for figure in figures)
            print(f"  {kind:9} {system:15} {told}   ({spans})")
    found = {(pair["a"], pair["b"], pair["measure"]): (pair, 1) for pair in of["differences"]}
    found |= {(b, a, measure): (pair, -1) for (a, b, measure), (pair, _) in found.items()}
    for a, b in PAIRS:
        for measure in (f"{kind}@{k}" for kind in kinds for k in KS):
            pair, sign = found[a, b, measure]
            low, high = sorted(sign * 100 * pair[key] for key in ("low", "high"))
            missed = [100 * (1 - means[system, measure]["mean"]) for system in (a, b)]
            gone = f", {100 * (1 - missed[0] / missed[1]):.0f} % of the misses gone" if missed[1] else ""
            print(f"  {a} - {b}  {measure:13} {sign * 100 * pair['mean']:+.1f} ({low:+.1f} to {high:+.1f}){gone}")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--start", required=True, help="the model before training")
    parser.add_argument("--pool", choices=POOLS, default="P150")
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--precision", default="auto")
    args = parser.parse_args()
    print(json.dumps({"machine": describe(), "pool": args.pool, "half": args.half, "model": args.model}))
    runs = [run_of("start", args.start, ("dense",), args), run_of("trained", args.model, SYSTEMS, args)]
    for name, of in summary([read_run(run) for run in runs])["sets"].items():
        show(name, of)


if __name__ == "__main__":
    main()
