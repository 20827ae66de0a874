"""The figures of runs: every measure with its interval, every pair of systems with its difference, every failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opendpr.errors import StateError, UsageError
from opendpr.evaluation.failures import KINDS
from opendpr.evaluation.figures import Figure, PairedFigure, differences, figures
from opendpr.evaluation.run import Run

EXAMPLES = 20
"""Questions named for each kind of failure."""


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """The figures of runs over the same questions, as plain values: `docs/evaluation.md` names the fields.

    With several runs a system is called `run:system`.

    Raises:
        StateError: the runs are not over the same questions.
        UsageError: two runs have the same name.
    """
    labels = run_labels([run.path for run in runs])
    for run in runs[1:]:
        _refuse_other_questions(runs[0], run)
    return {
        "runs": [{"file": run.path.name, **run.header} for run in runs],
        "sets": {name: _set_summary(name, runs, labels) for name in runs[0].header["sets"]},
        "problems": {question: problem for run in runs for question, problem in run.problems.items()},
    }


def run_labels(paths: Sequence[Path]) -> list[str]:
    """The prefix of each run's system names: empty if there is only one run.

    Raises:
        UsageError: two runs have the same name.
    """
    if len(paths) == 1:
        return [""]
    names = [f"{path.stem}:" for path in paths]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"two of the runs are called {twice[0][:-1]!r}; rename one, its systems bear this name")
    return names


def _refuse_other_questions(first: Run, other: Run) -> None:
    mine, its = ({name: about.get("sha256") for name, about in run.header["sets"].items()} for run in (first, other))
    if mine != its or first.header.get("limit") != other.header.get("limit"):
        raise StateError(
            f"{first.path} and {other.path} are not over the same questions; "
            "evaluate both with the same files and --limit"
        )
    judgements = {run.header["qrels"] for run in (first, other) if "qrels" in run.header}
    if len(judgements) > 1:
        raise StateError(
            f"{first.path} and {other.path} are not judged by the same judgements; evaluate both with the same --qrels"
        )


def _set_summary(name: str, runs: Sequence[Run], labels: Sequence[str]) -> dict[str, Any]:
    measured = {
        label + system: questions
        for run, label in zip(runs, labels, strict=True)
        for system, questions in run.measured[name].items()
    }
    failures = {
        label + system: _counted(counts)
        for run, label in zip(runs, labels, strict=True)
        for system, counts in run.failures[name].items()
    }
    return {
        "questions": runs[0].header["sets"][name]["questions"],
        "figures": [_figure(figure) for figure in figures(measured)],
        "differences": [_difference(difference) for difference in differences(measured)],
        "failures": failures,
    }


def _counted(failures: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, Any]:
    return {
        read: {
            kind: {"count": len(kinds.get(kind, ())), "examples": list(kinds.get(kind, ()))[:EXAMPLES]}
            for kind in KINDS
        }
        for read, kinds in failures.items()
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "system": figure.system,
        "measure": figure.measure,
        "questions": figure.questions,
        **figure.value._asdict(),
    }


def _difference(figure: PairedFigure) -> dict[str, Any]:
    return {
        "a": figure.a,
        "b": figure.b,
        "measure": figure.measure,
        "questions": figure.questions,
        **figure.value._asdict(),
    }
