"""Run what the figures of the documents come from, and compare.

make figures                  # all that have no result yet; a killed run goes on
make figures NAME='reader*'   # some
make figures CHECK=1          # documents and results beside the list; short runs of quality are made
make figures DOCS=1           # write the tables of the documents
make figures SMOKE=1          # every script, tiny
make paper                    # all of quality that docs/paper.md shows; QUICK=1 only what is short, CHECK=1 as above
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from experiments.common.catalogue import CATALOGUE, Catalogue, CatalogueError, FigureSet, nearest, read_catalogue
from experiments.common.command import ROOT, SKIPPED_EXIT_CODE, WORK_DIRECTORY
from experiments.common.results import Results, differences, digest_of
from experiments.common.tables import quality_sets_of, stale_documents, write_tables

SHORT_MINUTES = 3
"""Sets of quality that take no longer are run by --check."""


@dataclass(frozen=True)
class Outcome:
    """What became of a set."""

    word: str
    """ok, differs, failed or skipped."""
    details: tuple[str, ...] = ()


class Runner:
    """Runs sets, keeping what is finished.

    Args:
        data: folder of the data
        work: folder where collections and results are kept
        smoke: run everything tiny, and keep nothing
        again: run what has a result, too
        package: what precedes the names of scripts
    """

    def __init__(
        self, data: Path, work: Path, *, smoke: bool = False, again: bool = False, package: str = "experiments."
    ) -> None:
        self.package = package
        self.data, self.work, self.smoke, self.again = data, work, smoke, again
        self.results = Results(work / "figures")
        self.results.folder.mkdir(parents=True, exist_ok=True)

    def run(self, figure_set: FigureSet) -> Outcome:
        """Run a set, or take the result that is kept."""
        if self.smoke:
            return self._execute(figure_set, ["--smoke", "--work", str(self.work / "smoke")])
        if missing := [need for need in figure_set.needs if not self._path(need).exists()]:
            return Outcome("skipped", (f"needs {', '.join(missing)}",))
        digest = digest_of(figure_set)
        if not self.again and (kept := self.results.find(figure_set, digest)):
            return self.compared(figure_set, differences(figure_set, kept))
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "figures.json"
            shared = ["--data", str(self.data), "--work", str(self.work), "--figures", str(report)]
            outcome = self._execute(figure_set, [*figure_set.arguments, *shared])
            if outcome.word != "ok":
                return outcome
            result = self.results.keep(figure_set, digest, time.monotonic() - started, report)
        return self.compared(figure_set, differences(figure_set, result))

    def compared(self, figure_set: FigureSet, lines: Sequence[str]) -> Outcome:
        """Ok or differs, with how many figures were compared."""
        if lines:
            return Outcome("differs", tuple(lines))
        count = len(figure_set.figures)
        return Outcome("ok", (f"{count} figures" if figure_set.kind == "quality" else "speed, not compared",))

    def minutes(self, figure_set: FigureSet) -> float | None:
        """How long a set takes: as its last run here, else as the list says; 0 if its result is kept."""
        if not self.again and self.results.find(figure_set, digest_of(figure_set)):
            return 0.0
        if last := self.results.find(figure_set):
            return last.seconds / 60
        return float(figure_set.minutes) if figure_set.minutes is not None else None

    def _path(self, need: str) -> Path:
        return ROOT / need if need.startswith(".") else self.data / need

    def _execute(self, figure_set: FigureSet, arguments: Sequence[str]) -> Outcome:
        log = self.results.folder / f"{figure_set.name}.log"
        command = [sys.executable, "-m", f"{self.package}{figure_set.script}", *arguments]
        with log.open("w", encoding="utf-8") as file:
            code = subprocess.run(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
        last = (log.read_text(encoding="utf-8").strip().splitlines() or [""])[-1]
        if code == SKIPPED_EXIT_CODE:
            return Outcome("skipped", (last.removeprefix("skipped: "),))
        return Outcome("ok") if code == 0 else Outcome("failed", (f"exit code {code}: {last[:200]}", f"see {log}"))


def chosen(catalogue: Catalogue, patterns: Sequence[str]) -> list[FigureSet]:
    """The sets whose names match; all without patterns.

    Raises:
        CatalogueError: a pattern matches nothing.
    """
    names = list(catalogue.sets) if not patterns else []
    for pattern in patterns:
        matching = [name for name in catalogue.sets if fnmatchcase(name, pattern)]
        names += matching or [nearest(pattern, catalogue.sets, "a set of figures")]
    return [catalogue.sets[name] for name in dict.fromkeys(names)]


def short_sets(runner: Runner, sets: Sequence[FigureSet], minutes: float) -> list[FigureSet]:
    """The sets that are known to take no longer, or whose result is kept."""
    known = [(figure_set, runner.minutes(figure_set)) for figure_set in sets]
    return [figure_set for figure_set, needed in known if needed is not None and needed <= minutes]


def time_left(runner: Runner, sets: Sequence[FigureSet]) -> str:
    """The minutes that sets take, as far as they are known."""
    minutes_each = [runner.minutes(figure_set) for figure_set in sets]
    total = sum(minutes for minutes in minutes_each if minutes is not None)
    return f"{'more than ' if None in minutes_each else ''}{total:.0f} min left" if sets else "done"


def run_all(runner: Runner, sets: Sequence[FigureSet]) -> bool:
    """Run sets, a line for each; whether none differs or failed."""
    good = True
    for number, figure_set in enumerate(sets):
        outcome = runner.run(figure_set)
        good &= outcome.word not in ("differs", "failed")
        left = "" if runner.smoke else f"   {time_left(runner, sets[number + 1 :])}"
        details = outcome.details if outcome.word != "differs" else ("",)
        print(f"{outcome.word:8} {figure_set.name:24} {'; '.join(details)}{left}", flush=True)
        if outcome.word == "differs":
            print("\n".join(f"         {line}" for line in outcome.details), flush=True)
    return good


def check(runner: Runner, catalogue: Catalogue, sets: Sequence[FigureSet]) -> bool:
    """Documents beside the list, kept results beside the list, and short runs of quality."""
    stale = stale_documents(catalogue)
    for path in stale:
        print(f"differs  {path}: its tables are not those of {CATALOGUE.name}; run 'make figures DOCS=1'")
    short = [s for s in sets if s.kind == "quality" and s.minutes is not None and s.minutes <= SHORT_MINUTES]
    kept = [s for s in sets if s not in short and runner.results.find(s, digest_of(s))]
    print(f"{len(sets) - len(short) - len(kept)} of {len(sets)} sets are long and have no result here")
    return run_all(runner, [*kept, *short]) and not stale


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of sets, * stands for anything; all without")
    parser.add_argument("--page", help="the sets of quality that the tables of this document show")
    parser.add_argument("--minutes", type=float, help="only sets that are known to take no longer")
    parser.add_argument("--check", action="store_true", help="compare, and run only what is short")
    parser.add_argument("--docs", action="store_true", help="write the tables of the documents, run nothing")
    parser.add_argument("--smoke", action="store_true", help="run every script once, tiny, comparing nothing")
    parser.add_argument("--list", action="store_true", help="show the sets, run nothing")
    parser.add_argument("--again", action="store_true", help="run what has a result, too")
    parser.add_argument("--data", type=Path, default=os.environ.get("OPENDPR_DATA") or ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, default=WORK_DIRECTORY)
    parser.add_argument("--catalogue", type=Path, default=CATALOGUE)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 if something differs or failed, 2 if the list or the command line is wrong."""
    args = parse(arguments)
    try:
        catalogue = read_catalogue(args.catalogue)
        names = quality_sets_of(args.page, catalogue) if args.page else []
        sets = chosen(catalogue, [*" ".join(args.names).split(), *names])
        if args.docs:
            print("\n".join(f"wrote {path}" for path in write_tables(catalogue)) or "the documents are up to date")
            return 0
        if args.list:
            print("\n".join(f"{s.name:24} {s.script:24} {s.kind:8} {s.date} {s.machine}" for s in sets))
            return 0
        runner = Runner(args.data, args.work, smoke=args.smoke, again=args.again)
        if args.minutes is not None:
            sets = short_sets(runner, sets, args.minutes)
        if args.smoke:
            return 0 if run_all(runner, list({s.script: s for s in sets}.values())) else 1
        return 0 if (check(runner, catalogue, sets) if args.check else run_all(runner, sets)) else 1
    except CatalogueError as error:
        print(f"figures: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
