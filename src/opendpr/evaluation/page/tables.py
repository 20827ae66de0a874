"""Tables of the report: figures with intervals, paired differences, kinds of failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from opendpr.evaluation.contrasts import headline_measures
from opendpr.evaluation.failures import FAILURE_KINDS
from opendpr.evaluation.figures import Figure, PairedFigure, in_percent, written
from opendpr.evaluation.page.charts import interval_bar, percent, share_bar
from opendpr.evaluation.statistics import Interval
from opendpr.evaluation.summary import Failures
from opendpr.wording import counted

RIGHT_OUTCOME = "right"
"""The outcome that is no failure: exact match."""
SIGNIFICANT_P = 0.05
"""Differences whose p is smaller are bold."""


class Fact(NamedTuple):
    """A large figure of a tile."""

    label: str
    number: str
    unit: str
    range: str


class FigureCell(NamedTuple):
    """A number, a bar of its interval, and what is written below."""

    number: str
    bold: bool
    bar: Markup
    below: str


@dataclass(frozen=True)
class CountCell:
    """A count, its share in per cent, and a bar of the share."""

    count: str
    share: str
    bar: Markup


class Table(NamedTuple):
    """A table to show."""

    caption: str
    head: Sequence[str]
    """The names of all columns, the one of row names included."""
    rows: Sequence[tuple[str, Sequence[FigureCell | CountCell | None]]]
    """Name and cells of each row."""


def tiles(figures: Sequence[Figure], systems: Sequence[str]) -> dict[str, list[Fact]]:
    """The figures that matter most, for each system."""
    return {system: _tile([figure for figure in figures if figure.system == system]) for system in systems}


def _tile(figures: Sequence[Figure]) -> list[Fact]:
    by_measure = {figure.measure: figure for figure in figures}
    return [
        Fact(spoken(name), _mean(by_measure[name]), " %" if in_percent(name) else "", _range(by_measure[name]))
        for name in headline_measures(by_measure)
    ]


def spoken(measure: str) -> str:
    """What a measure is, in words."""
    group, _, k = measure.partition("@")
    first_only = k == "1"
    return {
        "answer": "answer in the first passage" if first_only else f"answer in the first {k} passages",
        "document": "gold document first" if first_only else f"gold document in the first {k} passages",
        "EM": f"exact match, {k} {'passage' if first_only else 'passages'} read",
    }.get(group, measure)


def figure_table(figures: Sequence[Figure], systems: Sequence[str], caption: str) -> Table:
    """A row for each measure and a column for each system.

    Args:
        figures: at least one
    """
    cells = {(figure.measure, figure.system): figure for figure in figures}
    measures = list(dict.fromkeys(figure.measure for figure in figures))
    columns = [system for system in systems if any(system == key[1] for key in cells)]
    best = {measure: max(cells[key].value.mean for key in cells if key[0] == measure) for measure in measures}
    low, high = min(figure.value.low for figure in figures), max(figure.value.high for figure in figures)

    def cell(measure: str, system: str) -> FigureCell | None:
        figure = cells.get((measure, system))
        if figure is None:
            return None
        bar = interval_bar(figure.value, low, high)
        return FigureCell(_mean(figure), figure.value.mean == best[measure], bar, _range(figure))

    rows = [(measure, [cell(measure, system) for system in columns]) for measure in measures]
    note = "Below each figure its 95 % bootstrap interval; the highest of a row is bold."
    return Table(f"{caption} {note}", ["measure", *columns], rows)


def difference_table(differences: Sequence[PairedFigure], figures: Sequence[Figure]) -> Table | None:
    """A row for each measure and a column for each pair of systems; None without pairs."""
    if not differences:
        return None
    cells = {(pair.measure, pair.a, pair.b): pair for pair in differences}
    pairs = list(dict.fromkeys((pair.a, pair.b) for pair in differences))
    order = list(dict.fromkeys(figure.measure for figure in figures))
    measures = [measure for measure in order if any(measure == key[0] for key in cells)]
    reach = max(max(abs(pair.value.low), abs(pair.value.high)) for pair in differences) or 1.0
    rows = [(measure, [_difference_cell(cells.get((measure, *pair)), reach) for pair in pairs]) for measure in measures]
    caption = (
        "The first system minus the second on the same questions, with the 95 % bootstrap interval and "
        "the two-sided p of the paired randomisation test. Bold is p < 0.05. Nothing is corrected for testing many "
        "things at once."
    )
    return Table(caption, ["measure", *(f"{a} − {b}" for a, b in pairs)], rows)


def _difference_cell(pair: PairedFigure | None, reach: float) -> FigureCell | None:
    if pair is None:
        return None
    mean, low, high, p = pair.value
    p_words = "p\u00a0<\u00a00.001" if p < 0.001 else f"p\u00a0=\u00a0{p:.3f}"
    bar = interval_bar(Interval(mean, low, high), -reach, reach, zero=True)
    return FigureCell(_mean(pair, "+"), p < SIGNIFICANT_P, bar, f"{_range(pair, '+')}, {p_words}")


def failure_tables(failures: Failures, figures: Sequence[Figure]) -> list[Table]:
    """For each number of passages read a table: a row for each outcome, a column for each system."""
    depths = {read for by_read in failures.values() for read in by_read}
    return [_failure_table(read, failures, figures) for read in sorted(depths, reverse=True)]


def _failure_table(read: int, failures: Failures, figures: Sequence[Figure]) -> Table:
    exact_match = {figure.system: figure for figure in figures if figure.measure == f"EM@{read}"}
    systems = [system for system, by_read in failures.items() if read in by_read]

    def cell(system: str, outcome: str, number: int) -> CountCell:
        questions = exact_match[system].questions
        right = round(exact_match[system].value.mean * questions)
        count = right if outcome == RIGHT_OUTCOME else failures[system][read][outcome].count
        share = count / questions
        return CountCell(f"{count:,}", percent(share), share_bar([(f"o{number}", share)]))

    rows = [
        (outcome, [cell(system, outcome, number) for system in systems])
        for number, outcome in enumerate((RIGHT_OUTCOME, *FAILURE_KINDS))
    ]
    caption = (
        f"{counted(read, 'passage')} read: the answers of each system, and the first step at which the wrong ones "
        "were lost."
    )
    return Table(caption, ["outcome", *systems], rows)


def _mean(figure: Figure | PairedFigure, sign: str = "") -> str:
    return _number(figure.value.mean, figure.measure, sign)


def _range(figure: Figure | PairedFigure, sign: str = "") -> str:
    low, high = (_number(end, figure.measure, sign) for end in (figure.value.low, figure.value.high))
    return f"{low} to {high}"


def _number(value: float, measure: str, sign: str) -> str:
    return written(measure, value, sign).replace("-", "−")
