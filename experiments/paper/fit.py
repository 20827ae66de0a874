"""Fit what answers are chosen by on the fit halves of the development questions: `opendpr train answering` over a pool.

python -m experiments.paper.fit --model MODEL --output DIRECTORY --pool P150
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from opendpr.model.directory import DEFAULT_MODEL

SETS = ("squad", "nq", "trivia", "squad_unanswerable")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P150")
    parser.add_argument("--output", type=Path, help="directory of the fitted model; in the folder of the work without")
    parser.add_argument("--limit", type=int, help="questions of each set; all without")
    parser.add_argument("--retrievers", nargs="+", default=["hybrid", "dense", "bm25"])
    parser.add_argument("--least-precision", type=float, default=0.6)
    parser.add_argument("-k", type=int, default=20, help="passages read for a question")
    tiny = {"model": DEFAULT_MODEL, "limit": 40, "k": 2, "retrievers": ["hybrid"], "least_precision": 0.0}
    args = parse(parser, arguments, **tiny)  # a random reader gives no right answer to fit to
    report = Report(args, retrievers=args.retrievers, least_precision=args.least_precision)
    collection, output = fill_pool(args, make_encoder(args)), args.output or args.work / "fitted"
    files = [args.data.write_questions(name, "fit", args.work / "fit-questions", args.limit) for name in SETS]
    options = ["--model", args.model, "-o", output, "--precision", args.precision]
    options += [word for retriever in args.retrievers for word in ("-r", retriever)]
    options += ["--least-precision", args.least_precision, "-k", args.k]
    command = [sys.executable, "-m", "opendpr", "train", "answering", collection, *files, *options]
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
    retrieval = json.loads((output / "config.json").read_text(encoding="utf-8"))["retrieval"]
    for name, value in retrieval.items():
        report.add(name, value)
    report.write()


if __name__ == "__main__":
    main()
