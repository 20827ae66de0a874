"""What `ablations.py` found, as a plot: `docs/ablations.svg`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from experiments.common.accuracy import ACCURACY_KS
from experiments.paper.ablation_rows import Row
from opendpr.evaluation.page.charts import ChartLine, accuracy_chart, colour, mark
from opendpr.evaluation.page.svg import element
from opendpr.evaluation.statistics import Interval

ALL_QUESTIONS = "in-batch-128"
"""The row that trains on all questions."""
PLOTTED_K_PLACE = ACCURACY_KS.index(20)
Results = Sequence[tuple[Row, Sequence[Mapping[str, Any]]]]
"""Rows with the records of their seeds."""
WIDTH, LEFT, RIGHT = 760, 300, 32
"""Width of the plot, and the margins beside its axis."""
ROW_HEIGHT, CURVES_HEIGHT = 24, 350
PLOT_STYLE = Markup(
    "<style>svg{--c0:#1f5fbf;--c1:#b9480e;--c2:#0f766e;--c3:#7a2fc4}"
    "text{font:13px system-ui,sans-serif;fill:#3d4653}.end{text-anchor:end}.middle{text-anchor:middle}"
    ".grid line,.tick{stroke:#d9dee6}.line{stroke:currentColor;fill:none;stroke-width:2}"
    ".mark{fill:currentColor;stroke:#fff}.whisker{stroke-width:1.25}.head{font-weight:600}"
    ".c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}</style>"
)


def plot(results: Results) -> str:
    """Top-20 accuracy of every row, and below it Figure 1 of the paper, if its rows are there."""
    bottom = 70 + ROW_HEIGHT * len(results)
    sizes = [(row, records) for row, records in results if row.group == "sizes" or row.name == ALL_QUESTIONS]
    curves = [size_curves(sizes, bottom)] if len(sizes) > 1 else []
    height = bottom + (CURVES_HEIGHT + 60 if curves else 0)
    return element(
        "svg",
        PLOT_STYLE,
        element("rect", width=WIDTH, height=height, fill="#fff"),
        element("text", "Gold paragraph among the first 20 passages, each seed a mark", x=16, y=24, class_="head"),
        rows_panel(results, bottom),
        curves,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
    )


def rows_panel(results: Results, bottom: int) -> list[Markup]:
    """A line for each row: its seeds as marks, their mean as a stroke."""
    values = [[record["figures"]["squad"][PLOTTED_K_PLACE] for record in records] for _, records in results]
    low, high = 10 * (min(map(min, values)) // 10), 10 * (max(map(max, values)) // 10 + 1)
    x = _scale(low, high)
    ticks = [
        element(
            "g",
            element("line", x1=x(tick), x2=x(tick), y1=36, y2=bottom - 28),
            element("text", f"{tick:.0f} %", x=x(tick), y=bottom - 10, class_="middle"),
            class_="grid",
        )
        for tick in np.arange(low, high + 1, 10).tolist()
    ]
    drawn = []
    for number, ((row, _), seeds) in enumerate(zip(results, values, strict=True)):
        y, mean = 52 + ROW_HEIGHT * number, x(float(np.mean(seeds)))
        marks = [mark(0, x(value), y) for value in seeds]
        stroke = element("path", d=f"M{mean} {y - 9}V{y + 9}")
        label = element("title", f"{row.title}: {np.mean(seeds):.1f}")
        drawn.append(element("text", row.title, x=LEFT - 14, y=y + 4, class_="end"))
        drawn.append(element("g", label, stroke, marks, class_=f"line {colour(1 if row.examples == 'none' else 0)}"))
    return [*ticks, *drawn]


def _scale(low: float, high: float) -> Callable[[float], float]:
    return lambda value: round(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT), 2)


def size_curves(sizes: Results, top: int) -> Markup:
    """Accuracy over k for each number of training questions."""
    lines, legend = [], []
    for number, (row, records) in enumerate(sorted(sizes, key=lambda result: result[0].share)):
        values = np.array([record["figures"]["squad"] for record in records]) / 100
        marks = {
            float(k): Interval(float(column.mean()), float(column.min()), float(column.max()))
            for k, column in zip(ACCURACY_KS, values.T, strict=True)
        }
        name = "all questions" if row.name == ALL_QUESTIONS else row.title
        lines.append(ChartLine(name, [(k, interval.mean) for k, interval in marks.items()], marks))
        y = top + 60 + 22 * number
        swatch = element(
            "g", element("line", x1=20, x2=44, y1=y, y2=y), mark(number, 32, y), class_=f"line {colour(number)}"
        )
        legend += [swatch, element("text", name, x=54, y=y + 4)]
    chart = accuracy_chart(lines, "Sample efficiency", "Accuracy over k for each number of training questions")
    place = element("svg", chart, x=180, y=top + 40, width=WIDTH - 180, height=CURVES_HEIGHT)
    return element("g", element("text", "Sample efficiency", x=16, y=top + 24, class_="head"), legend, place)
