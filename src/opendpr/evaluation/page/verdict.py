"""What the figures say, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from opendpr.evaluation.contrasts import headline_measures
from opendpr.evaluation.figures import Figure, PairedFigure, in_percent, written
from opendpr.evaluation.statistics import Difference, Interval


class Verdict(NamedTuple):
    """What a comparison shows."""

    outcome: Literal["better", "worse", "open"]
    after: str
    words: str
    """Between the names of the two systems."""
    before: str
    figures: str
    """The gain by each measure that counts, with its interval."""


def verdict(pairs: Sequence[PairedFigure]) -> Verdict | None:
    """Whether system `a` is better than `b` by the measure that counts most; None without such a measure.

    Args:
        pairs: the differences of the two systems, at least one
    """
    gains = {pair.measure: pair.value for pair in pairs}
    measures = headline_measures(gains)
    if not measures:
        return None
    _, low, high, _ = gains[measures[0]]
    if low > 0:
        outcome: Literal["better", "worse", "open"] = "better"
        words = "is better than"
    elif high < 0:
        outcome, words = "worse", "is worse than"
    else:
        outcome, words = "open", "is not shown to be better than"
    figures = "; ".join(f"{name} {_with_range(name, gains[name], '+')}" for name in measures)
    return Verdict(outcome, pairs[0].a, words, pairs[0].b, figures)


def single_verdict(figures: Sequence[Figure]) -> str:
    """What the figures of one system say; empty without a measure that counts."""
    by_measure = {figure.measure: figure.value for figure in figures}
    return "; ".join(f"{name} {_with_range(name, by_measure[name])}" for name in headline_measures(by_measure))


def _with_range(measure: str, value: Difference | Interval, sign: str = "") -> str:
    mean, low, high = (written(measure, number, sign).replace("-", "−") for number in value[:3])
    unit = " %" if in_percent(measure) and not sign else ""
    return f"{mean}{unit} ({low} to {high})"
