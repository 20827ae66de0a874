"""Whole-process seconds of the commands a person waits for, on a pool as one collection (P25: 25,017 passages).

python -m experiments.speed.ask
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import open_pool
from experiments.common.report import Report


def run_seconds(command: Sequence[str], runs: int) -> list[float]:
    """Wall-clock time of each of `runs` runs, after one that is not counted."""
    seconds = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "opendpr", *command], capture_output=True, check=False)
        if done.returncode not in (0, 2):
            raise SystemExit(done.stderr.decode())
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--commands", nargs="+", help="names of commands; all without")
    args = parse(parser, arguments, runs=1, commands=["ask"])
    with open_pool(args, make_encoder(args)) as collection:
        directory, counts = str(collection.directory), collection.counts()
    question = args.data.questions("squad", "fit")[0]["question"]
    commands = {
        "help": ["--help"],
        "wrong option": ["ask", "--nonsense"],
        "search": ["search", directory, question],
        "ask": ["ask", directory, question],
        "ask int8": ["ask", directory, question, "--precision", "int8"],
        "ask fp32": ["ask", directory, question, "--precision", "fp32"],
    }
    report = Report(args, **counts, runs=args.runs)
    for name in args.commands or commands:
        median, low, high = report.add_spread(name, run_seconds(commands[name], args.runs), "s")
        print(f"{name:16} {median:6.2f} s   ({low:.2f} to {high:.2f})")
    report.write()


if __name__ == "__main__":
    main()
