"""Seconds from a folder that was never seen to its first answer, by the whole process, and to the second.

Passages of Wikipedia as files, a text for each document. *First*: `opendpr ask FOLDER QUESTION`, which encodes what the
question needs. *Again*: the same with another question. *All first*: everything is encoded before the answer, as for a
list of questions.

    python -m experiments.speed.first_answer --passages 1000 10000 100000 --complete 1000 10000
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.common.command import command_line, parse
from experiments.common.data import Data
from experiments.common.report import Report

FILES_PER_FOLDER = 1_000


def write_files(data: Data, passages: int, folder: Path) -> int:
    """Write a text for each document, until there are this many passages; returns how many."""
    count = 0
    for count, document in enumerate(data.documents(passages), start=1):
        below = folder / f"{count // FILES_PER_FOLDER:03}"
        below.mkdir(parents=True, exist_ok=True)
        (below / f"{count}.txt").write_text(f"{document.title}\n\n{document.text}", encoding="utf-8")
    return count


def ask(folder: Path, cache: Path, question: str, model: str, *, all_first: bool = False) -> float:
    """Seconds of a process that answers a question from a folder."""
    command = [sys.executable, "-m", "opendpr", "ask", str(folder), "-" if all_first else question, "--model", model]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    started = time.perf_counter()
    done = subprocess.run(
        command,
        input=question if all_first else "",
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - started


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__)
    parser.add_argument("--passages", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--complete", type=int, nargs="*", default=[1_000, 10_000], help="sizes encoded wholly too")
    args = parse(parser, arguments, passages=[40], complete=[40])
    report = Report(args)
    first, second = (record["question"] for record in args.data.questions("squad", "fit")[:2])
    for passages in args.passages:
        with tempfile.TemporaryDirectory(dir=args.work) as place:
            folder, cache = Path(place) / "texts", Path(place) / "cache"
            files = write_files(args.data, passages, folder)
            figures = {
                "first": ask(folder, cache, first, args.model),
                "again": ask(folder, cache, second, args.model),
            }
            if passages in args.complete:
                figures["all first"] = ask(folder, Path(place) / "other", first, args.model, all_first=True)
        for name, seconds in figures.items():
            report.add(f"{passages}/{name}", seconds, "s")
            print(f"{passages:>9,} passages, {files:>7,} files, {name:10} {seconds:8.1f} s", flush=True)
    report.write()


if __name__ == "__main__":
    main()
