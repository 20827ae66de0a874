"""The figures of `opendpr evaluate`, as figures of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.common.report import Report
from opendpr.evaluation.figures import in_percent
from opendpr.evaluation.run import read_run
from opendpr.evaluation.statistics import Difference, Interval
from opendpr.evaluation.summary import summary
from opendpr.wording import counted


def add_runs(report: Report, runs: Sequence[Path], *, prefix: str = "") -> None:
    """Print and report every figure, difference and kind of failure of runs over the same questions."""
    for name, result in summary([read_run(run) for run in runs]).sets.items():
        print(f"\n{name}: {counted(result.questions, 'question')}")
        for figure in result.figures:
            _add(report, f"{prefix}{name}/{figure.system}/{figure.measure}", figure.value)
        for pair in result.differences:
            _add(report, f"{prefix}{name}/{pair.a} - {pair.b}/{pair.measure}", pair.value)
        for system, by_read in result.failures.items():
            for read, kinds in by_read.items():
                for kind, failures in kinds.items():
                    report.add(f"{prefix}{name}/{system}/{kind}@{read}", failures.count, "questions")


def _add(report: Report, name: str, interval: Interval | Difference) -> None:
    """Add a figure with its interval, in per cent if the measure is shown that way."""
    scale, unit = (100.0, "%") if in_percent(name.rpartition("/")[2]) else (1.0, "")
    report.add_interval(name, interval, unit, scale=scale)
    p = f"  p {interval.p:.4f}" if isinstance(interval, Difference) else ""
    mean, low, high = (scale * value for value in interval[:3])
    print(f"  {name:48} {mean:8.4g}  ({low:.4g} to {high:.4g}){p}")
