"""A trained encoder beside the one it started from, paired on the report halves of the development questions.

Dense retrieval by both, BM25 and hybrid by the trained one, over a pool: every system with its interval, every pair
with the interval of its difference, and which share of the starting model's misses is gone.

    python -m experiments.paper.compare --pool P150                      # beside all-MiniLM-L6-v2
    python -m experiments.paper.compare --pool P150 --start MODEL
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.common.accuracy import ACCURACY_KS
from experiments.common.command import command_line, make_encoder, parse
from experiments.common.models import starting_model
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.evaluate import QUESTION_SETS, SYSTEMS
from opendpr.evaluation.judges import AnswerJudge
from opendpr.evaluation.task import Task, evaluate


def run_of(name: str, model: str, args: argparse.Namespace, *, systems: Sequence[str]) -> Path:
    """The run of a model over the pool, made if it is not there."""
    encoder = make_encoder(args, model)
    directory = fill_pool(args, encoder)
    folder: Path = args.work / f"{directory.name}-{args.half}"
    files = [args.data.write_questions(questions, args.half, folder) for questions in QUESTION_SETS]
    started, run = time.perf_counter(), folder / f"{name}.jsonl"
    evaluate(directory, Task(files, systems, None, model, encoder.runtime), AnswerJudge(), output=run)
    print(f"{run}: {time.perf_counter() - started:.0f} s", flush=True)
    return run


def add_misses(report: Report) -> None:
    """The share of the starting model's misses that the trained one does not have."""
    for kind, names in (("answer", QUESTION_SETS), ("document", QUESTION_SETS[:1])):
        for place in (f"{name}/{{}}/{kind}@{k}" for name in names for k in ACCURACY_KS):
            before, after = (100 - report.value(place.format(f"{model}:dense")) for model in ("start", "trained"))
            if before:
                report.add(place.format("misses gone"), 100 * (1 - after / before), "%")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P150", half=True)
    parser.add_argument("--start", help="the model before training; all-MiniLM-L6-v2 without")
    args = parse(parser, arguments)
    start = args.start or (args.model if args.smoke else str(starting_model(args.work / "all-minilm").directory))
    report = Report(args)
    runs = [
        run_of("trained", args.model, args, systems=SYSTEMS),
        run_of("start", start, args, systems=("dense",)),
    ]
    add_runs(report, runs)
    add_misses(report)
    report.write()


if __name__ == "__main__":
    main()
