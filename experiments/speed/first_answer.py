"""Seconds from a folder that was never seen to its first answer, by the whole process, and to the second.

Passages of Wikipedia as files, a text for each document. *First*: `opendpr ask FOLDER QUESTION`, which encodes what the
question needs. *Again*: the same with another question. *All first*: everything is encoded before the answer, as for a
list of questions; once, since it takes long.

    python -m experiments.speed.first_answer --passages 1000 10000 100000 --complete 1000 10000
    python -m experiments.speed.first_answer --passages 1000 10000 --complete 1000 --peers

With --peers Haystack and txtai do the same beside it (`peers/haystack_answer.py`, `peers/txtai_answer.py`), with our
weights in their forms: a process of each in turns, so that all meet the same load. The index that they keep is found by
their second process. *Times*: seconds beside ours of the same round. Processor seconds, of all threads together, are
reported and compared too: other work on the machine changes them less.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.common.child import OFFLINE_ENVIRONMENT
from experiments.common.command import command_line, parse, require
from experiments.common.data import Data
from experiments.common.report import Report
from opendpr.choices import ModelForm
from opendpr.model.directory import find_model
from opendpr.model.foreign import export_model

FILES_PER_FOLDER = 1_000
OURS = ""


class System(NamedTuple):
    """A command that answers a question from a folder; `{folder}`, `{kept}` and `{question}` are put into it."""

    command: tuple[str, ...]
    questions: int = 2
    input: str = ""
    once: bool = False
    """Whether it encodes everything, and so runs in the first round alone."""


class Seconds(NamedTuple):
    """What a process took."""

    wall: float
    processor: float


def write_files(data: Data, passages: int, folder: Path) -> int:
    """Write a text for each document, until there are this many passages; returns how many."""
    count = 0
    for count, document in enumerate(data.documents(passages), start=1):
        below = folder / f"{count // FILES_PER_FOLDER:03}"
        below.mkdir(parents=True, exist_ok=True)
        (below / f"{count}.txt").write_text(f"{document.title}\n\n{document.text}", encoding="utf-8")
    return count


def exported(args: argparse.Namespace, form: ModelForm) -> str:
    """The directory of the model in the form of another system; made once."""
    directory: Path = args.work / f"{Path(args.model).name}-{form}"
    if not directory.exists():
        export_model(find_model(args.model), directory, form)
    return str(directory)


def systems(args: argparse.Namespace, *, complete: bool) -> dict[str, System]:
    """What is measured, by the prefix of its figures."""
    ours = (sys.executable, "-m", "opendpr", "ask", "{folder}", "{question}", "--model", args.model)
    measured = {OURS: System(ours)}
    if complete:
        all_first = tuple("-" if part == "{question}" else part for part in ours)
        measured["all "] = System(all_first, questions=1, input="{question}", once=True)
    if args.peers:
        reader = exported(args, "hf-qa")
        for name in ("haystack", "txtai"):
            script = (sys.executable, "-m", f"experiments.peers.{name}_answer")
            measured[f"{name}/"] = System((*script, "{folder}", "{kept}", reader, "{question}"))
        if complete:
            vectors = (*measured["txtai/"].command, exported(args, "sentence-transformers"))
            measured["txtai vectors/"] = System(vectors, once=True)
    return measured


def run(system: System, place: Mapping[str, str]) -> Seconds:
    """Answer a question in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [part.format_map(place) for part in system.command],
        input=system.input.format_map(place),
        env={**os.environ, **OFFLINE_ENVIRONMENT, "XDG_CACHE_HOME": f"{place['kept']}.cache"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    wall = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"  {done.stdout.partition(chr(10))[0][:70]!r}")
    return Seconds(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(
    measured: Mapping[str, System], folder: Path, questions: Sequence[str], rounds: int
) -> Iterator[tuple[str, Seconds]]:
    """What each system took in each round, which begins with nothing kept; another system begins each time."""
    names = list(measured)
    for number in range(rounds):
        for name in (*names[number % len(names) :], *names[: number % len(names)]):
            system = measured[name]
            if system.once and number:
                continue
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                for step, question in zip(("first", "again")[: system.questions], questions, strict=False):
                    place = {"folder": str(folder), "kept": f"{work}/kept", "question": question}
                    seconds = run(system, place)
                    print(f"{name}{step} {seconds.wall:.1f} s, {seconds.processor:.1f} of processors", flush=True)
                    yield f"{name}{step}", seconds


def put_figures(report: Report, passages: int, taken: Mapping[str, Sequence[Seconds]]) -> None:
    """Medians with the lowest and the highest, and peers' beside ours."""
    for name, rounds in taken.items():
        report.add_spread(f"{passages}/{name}", [seconds.wall for seconds in rounds], "s")
        report.add(f"{passages}/{name}/processor", statistics.median(seconds.processor for seconds in rounds), "s")
        _, slash, step = name.partition("/")
        if slash:
            pairs = list(zip(rounds, taken[step], strict=False))
            report.add_spread(f"{passages}/{name}/times", [peer.wall / ours.wall for peer, ours in pairs])
            shares = [peer.processor / ours.processor for peer, ours in pairs]
            report.add_spread(f"{passages}/{name}/processor times", shares)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__)
    parser.add_argument("--passages", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--complete", type=int, nargs="*", default=[1_000, 10_000], help="sizes encoded wholly too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="Haystack and txtai beside it, if they are installed")
    args = parse(parser, arguments, passages=[40], complete=[40], rounds=1)
    if args.peers:
        require("txtai", "txtai")
        require("haystack_integrations", "haystack-ai transformers-haystack")
    report = Report(args)
    questions = [record["question"] for record in args.data.questions("squad", "fit")[:2]]
    for passages in args.passages:
        with tempfile.TemporaryDirectory(dir=args.work) as place:
            folder = Path(place) / "texts"
            print(f"{passages:,} passages, {write_files(args.data, passages, folder):,} files", flush=True)
            taken = defaultdict[str, list[Seconds]](list)
            measured = systems(args, complete=passages in args.complete)
            for name, seconds in measure(measured, folder, questions, args.rounds):
                taken[name].append(seconds)
        put_figures(report, passages, taken)
    report.write()


if __name__ == "__main__":
    main()
