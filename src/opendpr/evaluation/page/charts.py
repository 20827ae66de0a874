"""Charts as SVG: pure functions of numbers. Colours and type come from the page's style, by class."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup

from opendpr.evaluation.page.svg import element
from opendpr.evaluation.statistics import Interval

CHART_WIDTH, CHART_HEIGHT = 560, 350
PLOT_LEFT, PLOT_RIGHT, PLOT_TOP, PLOT_BOTTOM = 64, 534, 14, 294
"""Edges of the plot in the chart, in units of the view box."""
LINE_COLOURS, MARK_SHAPES = 6, 4
"""Number of colours and of marks; twelve lines differ, then both repeat."""
WHISKER_DISTANCE = 5
"""Distance between the whiskers of lines at the same place."""


@dataclass(frozen=True)
class ChartLine:
    """One line of a chart."""

    name: str
    values: Sequence[tuple[float, float]]
    """x, rising, and a share from 0 to 1."""
    marks: Mapping[float, Interval] = field(default_factory=dict)
    """Where the line has a mark with its interval."""


class Axes(NamedTuple):
    """Where numbers are drawn in a chart, and how they are written."""

    x: Callable[[float], float]
    y: Callable[[float], float]
    x_ticks: Sequence[float]
    y_ticks: Sequence[float]
    x_name: str
    x_format: str


def accuracy_chart(lines: Sequence[ChartLine], title: str, description: str) -> Markup:
    """Top-k accuracy over k, k on a logarithmic axis from 1 (the paper's Figure 1)."""
    return _chart(lines, log_axes(lines, "k, passages retrieved"), title, description=description)


def coverage_chart(lines: Sequence[ChartLine], title: str, description: str) -> Markup:
    """A measure of the questions answered over their share, in per cent."""
    return _chart(lines, share_axes(lines, "share of questions answered, surest first"), title, description=description)


def reliability_chart(lines: Sequence[ChartLine], title: str, description: str) -> Markup:
    """The share of right answers over their confidence, both from 0 to 100 %, with the diagonal of the ideal."""
    y, y_ticks = _shares([ChartLine("", [(0, 0.0), (100, 1.0)])])
    axes = share_axes(lines, "confidence")._replace(y=y, y_ticks=y_ticks, x_format="{:.0f} %")
    ideal = element("line", x1=axes.x(0), x2=axes.x(100), y1=axes.y(0), y2=axes.y(1), class_="ideal")
    return _chart(lines, axes, title, description=description, ideal=ideal)


def log_axes(lines: Sequence[ChartLine], x_name: str) -> Axes:
    """Axes with a logarithmic x from 1 to the last x of the lines."""
    last = max([2.0, *(x for line in lines for x, _ in line.values)])
    ticks = [float(f * 10**power) for power in range(7) for f in (1, 2, 5) if f * 10**power <= last]
    y, y_ticks = _shares(lines)
    return Axes(
        lambda k: PLOT_LEFT + math.log(k) / math.log(last) * (PLOT_RIGHT - PLOT_LEFT), y, ticks, y_ticks, x_name, "{:g}"
    )


def share_axes(lines: Sequence[ChartLine], x_name: str) -> Axes:
    """Axes with x in per cent."""
    y, y_ticks = _shares(lines)
    ticks = [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    return Axes(lambda share: PLOT_LEFT + share / 100 * (PLOT_RIGHT - PLOT_LEFT), y, ticks, y_ticks, x_name, "{:g} %")


def _shares(lines: Sequence[ChartLine]) -> tuple[Callable[[float], float], list[float]]:
    """The vertical axis: whole tenths around everything drawn."""
    drawn = [y for line in lines for _, y in line.values]
    drawn += [edge for line in lines for interval in line.marks.values() for edge in (interval.low, interval.high)]
    low = min(9, math.floor(10 * min(drawn, default=0) + 1e-9))
    high = max(math.ceil(10 * max(drawn, default=1) - 1e-9), low + 1)
    step = 2 if high - low > 6 else 1
    low -= (high - low) % step if low else 0

    def y(share: float) -> float:
        return PLOT_TOP + (high / 10 - share) / ((high - low) / 10) * (PLOT_BOTTOM - PLOT_TOP)

    return y, [tick / 10 for tick in range(low, high + 1, step)]


def _chart(
    lines: Sequence[ChartLine], axes: Axes, title: str, *, description: str, ideal: Markup | None = None
) -> Markup:
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        element("g", [_y_tick(axes, tick) for tick in axes.y_ticks], ideal, class_="grid"),
        element("g", [_x_tick(axes, tick) for tick in axes.x_ticks]),
        element("text", axes.x_name, x=(PLOT_LEFT + PLOT_RIGHT) / 2, y=CHART_HEIGHT - 6, class_="middle"),
        [_line(line, number, len(lines), axes) for number, line in enumerate(lines)],
        viewBox=f"0 0 {CHART_WIDTH} {CHART_HEIGHT}",
        role="img",
        class_="chart",
    )


def _y_tick(axes: Axes, share: float) -> list[Markup]:
    y = _round(axes.y(share))
    return [
        element("line", x1=PLOT_LEFT, x2=PLOT_RIGHT, y1=y, y2=y),
        element("text", f"{100 * share:.0f} %", x=PLOT_LEFT - 12, y=y + 5, class_="end"),
    ]


def _x_tick(axes: Axes, at: float) -> list[Markup]:
    x, bottom = _round(axes.x(at)), PLOT_BOTTOM
    return [
        element("line", x1=x, x2=x, y1=bottom, y2=bottom + 5, class_="tick"),
        element("text", axes.x_format.format(at), x=x, y=bottom + 22, class_="middle"),
    ]


def _line(line: ChartLine, number: int, count: int, axes: Axes) -> Markup:
    """A line with its marks, each with a whisker from the low to the high end of its interval."""
    shift = WHISKER_DISTANCE * (number - (count - 1) / 2)
    points = " ".join(f"{_round(axes.x(x))},{_round(axes.y(y))}" for x, y in line.values)
    marks = []
    for at, interval in line.marks.items():
        x, low, high = _round(axes.x(at) + shift), _round(axes.y(interval.low)), _round(axes.y(interval.high))
        mean, *ends = map(percent, interval)
        words = f"{line.name} at {axes.x_format.format(at)}: {mean} % ({ends[0]} to {ends[1]})"
        whisker = element("path", d=f"M{x} {low}V{high}M{x - 3} {low}h6M{x - 3} {high}h6", class_="whisker")
        marks.append(element("g", element("title", words), whisker, mark(number, x, _round(axes.y(interval.mean)))))
    path = element("polyline", points=points)
    return element("g", path, marks, class_=f"line {colour(number)}", data_name=line.name)


def colour(number: int) -> str:
    """The class that gives the colour of a line."""
    return f"c{number % LINE_COLOURS}"


def mark(number: int, x: float, y: float) -> Markup:
    """The mark of a line: circle, square, triangle or diamond, so that colour is not all that tells lines apart."""
    shape = number % MARK_SHAPES
    if shape == 0:
        return element("circle", cx=x, cy=y, r=4, class_="mark")
    if shape == 1:
        return element("rect", x=x - 3.5, y=y - 3.5, width=7, height=7, class_="mark")
    return element("path", d=f"M{x} {y - 5}l5 8h-10z" if shape == 2 else f"M{x} {y - 5}l5 5l-5 5l-5-5z", class_="mark")


def key(number: int) -> Markup:
    """The mark of a line by itself, for a legend."""
    stroke = element("line", x1=1, x2=21, y1=7, y2=7)
    return element(
        "svg", stroke, mark(number, 11, 7), viewBox="0 0 22 14", class_=f"key line {colour(number)}", aria_hidden="true"
    )


def interval_bar(value: Interval, low: float, high: float, *, zero: bool = False) -> Markup:
    """An interval with its mean, on a scale from `low` to `high` that the rows of a table share.

    Args:
        zero: whether a line is drawn at 0
    """

    def x(at: float) -> float:
        return _round(4 + (at - low) / ((high - low) or 1) * 112)

    left, right = x(value.low), x(value.high)
    return element(
        "svg",
        element("line", x1=x(0), x2=x(0), y1=0, y2=16, class_="zero")
        if zero
        else element("line", x1=4, x2=116, y1=8, y2=8),
        element("rect", x=left, y=5, width=_round(max(right - left, 1)), height=6, rx=3, class_="range"),
        element("circle", cx=x(value.mean), cy=8, r=3.5, class_="mean"),
        viewBox="0 0 120 16",
        class_="interval",
        aria_hidden="true",
    )


def share_bar(shares: Sequence[tuple[str, float]]) -> Markup:
    """A bar of parts, one after the other: class and share of each, all shares at most 1."""
    parts, left = [], 0.0
    for name, share in shares:
        parts.append(element("rect", x=_round(left), y=0, width=_round(100 * share), height=10, class_=name))
        left += 100 * share
    return element("svg", parts, viewBox="0 0 100 10", preserveAspectRatio="none", class_="shares", aria_hidden="true")


def percent(share: float) -> str:
    """A share in per cent, with one decimal."""
    return f"{100 * share:.1f}"


def _round(number: float) -> float:
    return round(number, 2)
