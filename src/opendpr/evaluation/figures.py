"""Figures with their intervals, from the measures of each question by each system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from opendpr.evaluation.statistics import Difference, Interval, bootstrap, compare

Measured = Mapping[str, Mapping[str, Mapping[str, float]]]
"""System -> question -> measure -> value."""

PERCENT_MEASURES = ("answer", "document", "EM", "F1")
"""Measures shown as parts of a hundred; others are shown with four decimals, as usual at TREC."""


def in_percent(measure: str) -> bool:
    """Whether a measure is shown in per cent."""
    return measure.split("@")[0] in PERCENT_MEASURES


def written(measure: str, value: float, sign: str = "") -> str:
    """A value as people read it; with the sign `+`, positive values get one too."""
    return f"{100 * value:{sign}.1f}" if in_percent(measure) else f"{value:{sign}.4f}"


@dataclass(frozen=True)
class Figure:
    """The mean of a measure over the questions that have it."""

    system: str
    measure: str
    questions: int
    value: Interval

    def as_json(self) -> dict[str, Any]:
        """The figure with its interval as plain fields."""
        return _flat(self)


@dataclass(frozen=True)
class PairedFigure:
    """The mean of system `a` minus that of system `b`, over the questions that both have."""

    a: str
    b: str
    measure: str
    questions: int
    value: Difference

    def as_json(self) -> dict[str, Any]:
        """The difference with its interval and p as plain fields."""
        return _flat(self)


def _flat(figure: Figure | PairedFigure) -> dict[str, Any]:
    fields = {name: value for name, value in vars(figure).items() if name != "value"}
    return {**fields, **figure.value._asdict()}


def figures(measured: Measured, *, seed: int = 0) -> list[Figure]:
    """Every measure of every system, in the order in which they come."""
    rows = []
    for system, questions in measured.items():
        for group, keys in _groups(questions):
            values = [[questions[key][name] for name in group] for key in keys]
            intervals = bootstrap(values, seed=seed)
            rows += [Figure(system, name, len(keys), value) for name, value in zip(group, intervals, strict=True)]
    return rows


def differences(measured: Measured, *, seed: int = 0) -> list[PairedFigure]:
    """Every measure that two systems share, for each pair of systems."""
    rows = []
    for (a, questions_a), (b, questions_b) in combinations(measured.items(), 2):
        shared = {key: _common(questions_a[key], questions_b[key]) for key in questions_a if key in questions_b}
        for group, keys in _groups(shared):
            tables = [
                [[questions[key][name] for name in group] for key in keys] for questions in (questions_a, questions_b)
            ]
            paired = compare(*tables, seed=seed)
            rows += [PairedFigure(a, b, name, len(keys), value) for name, value in zip(group, paired, strict=True)]
    return rows


def _common(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in a.items() if name in b}


def _groups(questions: Mapping[str, Mapping[str, float]]) -> list[tuple[list[str], list[str]]]:
    """Measures that the same questions have, with these questions: each group is one table for the bootstrap."""
    having: dict[str, list[str]] = {}
    for key, values in questions.items():
        for name in values:
            having.setdefault(name, []).append(key)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, keys in having.items():
        groups.setdefault(tuple(keys), []).append(name)
    return [(names, list(keys)) for keys, names in groups.items()]
