"""Whole-process seconds of the commands a person waits for, on a pool as one collection (P25: 25,017 passages).

python -m experiments.speed.ask
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from experiments.common.data import POOLS, arguments, questions
from experiments.common.machine import describe
from experiments.paper.retrieval import open_pool
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder


def seconds(command: list[str], runs: int) -> list[float]:
    """Wall-clock time of each of `runs` runs, after one that is not counted."""
    found = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "opendpr", *command], capture_output=True, check=False)
        if done.returncode not in (0, 2):
            raise SystemExit(done.stderr.decode())
        found.append(time.perf_counter() - started)
    return sorted(found[1:])


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--pool", choices=POOLS, default="P25")
    parser.add_argument("--precision", default="auto")
    args = parser.parse_args()
    collection = open_pool(args, BertEncoder(find_model(args.model)))
    directory, counts = collection.directory, collection.counts()
    collection.close()
    question = questions("squad", "fit")[0]["question"]
    print(json.dumps({"machine": describe(), **counts, "runs": args.runs}))
    commands = {
        "opendpr --help": ["--help"],
        "a wrong option": ["ask", "--nonsense"],
        "opendpr search": ["search", str(directory), question],
        "opendpr ask, 20 passages read": ["ask", str(directory), question],
        "opendpr ask --precision int8": ["ask", str(directory), question, "--precision", "int8"],
        "opendpr ask --precision fp32": ["ask", str(directory), question, "--precision", "fp32"],
    }
    for name, command in commands.items():
        found = seconds(command, args.runs)
        print(f"{name:32} {statistics.median(found):6.2f} s   ({found[0]:.2f} to {found[-1]:.2f})")


if __name__ == "__main__":
    main()
