"""Fit what answers are chosen by on the fit halves of the development questions: `opendpr train answering` over a pool.

python -m experiments.paper.fit --model MODEL --output DIRECTORY --pool P150
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from experiments.common.data import POOLS, arguments, questions
from experiments.paper.retrieval import open_pool
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings

SETS = ("squad", "nq", "trivia", "squad_unanswerable")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--pool", choices=POOLS, default="P150")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--limit", type=int, help="questions of each set; all without")
    parser.add_argument("--retrievers", nargs="+", default=["hybrid", "dense", "bm25"])
    parser.add_argument("--least-precision", type=float, default=0.6)
    args = parser.parse_args()
    encoder = BertEncoder(find_model(args.model), RuntimeSettings(precision=args.precision))
    with open_pool(args, encoder) as collection:
        directory = collection.directory
    folder = args.work / "fit-questions"
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name in SETS:
        files.append(str(folder / f"{name}.jsonl"))
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in questions(name, "fit")[: args.limit])
        Path(files[-1]).write_text("".join(lines), encoding="utf-8")
    kinds = [part for kind in args.retrievers for part in ("-r", kind)]
    options = ["--model", args.model, "-o", str(args.output), "--precision", args.precision, *kinds]
    options += ["--least-precision", str(args.least_precision)]
    command = [sys.executable, "-m", "opendpr", "train", "answering", str(directory), *files, *options]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
