"""The figures of runs: every measure with its interval, every pair of systems with its difference, every failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from opendpr.errors import StateError, UsageError
from opendpr.evaluation.failures import FAILURE_KINDS
from opendpr.evaluation.figures import Figure, PairedFigure, differences, figures
from opendpr.evaluation.header import RunHeader
from opendpr.evaluation.run import Run

FAILURE_EXAMPLES = 20
"""Questions named for each kind of failure."""


@dataclass(frozen=True)
class FailureCount:
    """Wrong answers of one kind."""

    count: int
    examples: Sequence[str]
    """The ids of the first questions."""


Failures = Mapping[str, Mapping[int, Mapping[str, FailureCount]]]
"""System -> passages read -> kind of failure."""


@dataclass(frozen=True)
class SetSummary:
    """The figures of one set of questions."""

    questions: int
    figures: Sequence[Figure]
    differences: Sequence[PairedFigure]
    failures: Failures
    unjudged: int = 0
    """Questions without answers and gold documents, or without judgements: they are in no figure."""
    unjudged_answered: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """System -> passages read -> how many of these got an answer, rather than "no answer found"."""

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return {
            "questions": self.questions,
            "figures": [figure.as_json() for figure in self.figures],
            "differences": [difference.as_json() for difference in self.differences],
            "failures": {
                system: {
                    str(read): {kind: asdict(count) for kind, count in kinds.items()} for read, kinds in by_read.items()
                }
                for system, by_read in self.failures.items()
            },
            "unjudged": self.unjudged,
            "unjudged_answered": {
                system: {str(read): count for read, count in by_read.items()}
                for system, by_read in self.unjudged_answered.items()
            },
        }


@dataclass(frozen=True)
class Summary:
    """The figures of runs over the same questions."""

    runs: Mapping[str, RunHeader]
    """Name of the run's file -> header."""
    sets: Mapping[str, SetSummary]
    problems: Mapping[str, str]
    """Set and id of a question -> why it could not be judged as wanted."""

    def as_json(self) -> dict[str, Any]:
        """What `opendpr evaluate --json` prints; `docs/evaluation.md` names the fields."""
        return {
            "runs": [{"file": file, **header.as_json()} for file, header in self.runs.items()],
            "sets": {name: figures.as_json() for name, figures in self.sets.items()},
            "problems": dict(self.problems),
        }


def summary(runs: Sequence[Run]) -> Summary:
    """The figures of runs over the same questions.

    With several runs a system is called `run:system`.

    Raises:
        StateError: the runs are not over the same questions.
        UsageError: two runs have the same name.
    """
    labels = run_labels([run.path for run in runs])
    for run in runs[1:]:
        _refuse_other_questions(runs[0], run)
    return Summary(
        runs={run.path.name: run.header for run in runs},
        sets={name: _set_summary(name, runs, labels) for name in runs[0].header.sets},
        problems={question: problem for run in runs for question, problem in run.problems.items()},
    )


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
    mine, its = ({name: file.sha256 for name, file in run.header.sets.items()} for run in (first, other))
    if mine != its or first.header.limit != other.header.limit:
        raise StateError(
            f"{first.path} and {other.path} are not over the same questions; "
            "evaluate both with the same files and --limit"
        )
    judgements = {run.header.qrels for run in (first, other)} - {None}
    if len(judgements) > 1:
        raise StateError(
            f"{first.path} and {other.path} are not judged by the same judgements; evaluate both with the same --qrels"
        )


def _set_summary(name: str, runs: Sequence[Run], labels: Sequence[str]) -> SetSummary:
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
    given = {
        label + system: dict(counts)
        for run, label in zip(runs, labels, strict=True)
        for system, counts in run.unjudged[name].items()
        if counts
    }
    first = next(iter(measured.values()), {})
    unjudged = sum(not measures for measures in first.values())
    questions = runs[0].header.sets[name].questions
    return SetSummary(questions, figures(measured), differences(measured), failures, unjudged, given)


def _counted(failures: Mapping[int, Mapping[str, Sequence[str]]]) -> dict[int, dict[str, FailureCount]]:
    return {
        read: {
            kind: FailureCount(len(questions), list(questions[:FAILURE_EXAMPLES]))
            for kind in FAILURE_KINDS
            for questions in (kinds.get(kind, ()),)
        }
        for read, kinds in failures.items()
    }
