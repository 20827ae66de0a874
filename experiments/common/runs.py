"""The figures of `opendpr evaluate`, as figures of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.common.report import Report
from opendpr.evaluation.figures import in_percent
from opendpr.evaluation.run import read_run
from opendpr.evaluation.statistics import Difference, Interval
from opendpr.evaluation.summary import summary


def add_runs(report: Report, runs: Sequence[Path], *, prefix: str = "") -> None:
    """Print and report every figure, difference and kind of failure of runs over the same questions."""
    for name, values in summary([read_run(run) for run in runs])["sets"].items():
        print(f"\n{name}: {values['questions']} questions")
        for figure in values["figures"]:
            _add(report, f"{prefix}{name}/{figure['system']}/{figure['measure']}", Interval(*_three(figure)))
        for pair in values["differences"]:
            label = f"{prefix}{name}/{pair['a']} - {pair['b']}/{pair['measure']}"
            _add(report, label, Difference(*_three(pair), pair["p"]))
        for system, by_read in values["failures"].items():
            for read, reasons in by_read.items():
                for reason, cases in reasons.items():
                    report.add(f"{prefix}{name}/{system}/{reason}@{read}", cases["count"], "questions")


def _three(figure: dict[str, float]) -> tuple[float, float, float]:
    return figure["mean"], figure["low"], figure["high"]


def _add(report: Report, name: str, interval: Interval | Difference) -> None:
    """In per cent, if the measure is shown so."""
    scale, unit = (100.0, "%") if in_percent(name.rpartition("/")[2]) else (1.0, "")
    report.add_interval(name, interval, unit, scale=scale)
    p = f"  p {interval.p:.4f}" if isinstance(interval, Difference) else ""
    mean, low, high = (scale * value for value in interval[:3])
    print(f"  {name:48} {mean:8.4g}  ({low:.4g} to {high:.4g}){p}")
