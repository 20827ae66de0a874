"""Tables of the report: figures with intervals, paired differences, kinds of failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opendpr.evaluation.failures import KINDS
from opendpr.evaluation.figures import in_percent, written
from opendpr.evaluation.page.charts import interval_bar, percent, share_bar
from opendpr.evaluation.page.markup import Markup, element, joined
from opendpr.evaluation.statistics import Interval

RIGHT = "right"
"""The outcome that is no failure: exact match."""
SIGNIFICANT = 0.05
"""Differences whose p is smaller are bold."""
HEADLINE = 20
"""The k of the figure at the top, if it was measured."""

Row = Mapping[str, Any]


def tiles(figures: Sequence[Row], systems: Sequence[str]) -> Markup:
    """The figures that matter most, large, for each system."""
    return element("div", [_tile(system, figures) for system in systems], class_="tiles")


def _tile(system: str, figures: Sequence[Row]) -> Markup:
    own = {figure["measure"]: figure for figure in figures if figure["system"] == system}
    groups: dict[str, list[str]] = {}
    for measure in own:
        groups.setdefault(measure.split("@")[0], []).append(measure)
    names = [
        f"{group}@{HEADLINE}" if f"{group}@{HEADLINE}" in measures and group in ("answer", "document") else measures[-1]
        for group, measures in groups.items()
        if group in ("answer", "document", "EM", "AP", "nDCG")
    ]
    facts = [
        element(
            "div",
            element("dt", spoken(name)),
            element(
                "dd",
                element("b", _mean(own[name]), " %" if in_percent(name) else None),
                element("span", _range(own[name])),
            ),
        )
        for name in names
    ]
    return element("div", element("h3", system, dir="auto"), element("dl", facts), class_="tile")


def spoken(measure: str) -> str:
    """What a measure is, in words."""
    group, _, k = measure.partition("@")
    one = k == "1"
    return {
        "answer": "answer in the first passage" if one else f"answer in the first {k} passages",
        "document": "gold document first" if one else f"gold document in the first {k} passages",
        "EM": f"exact match, {k} passages read",
    }.get(group, measure)


def figure_table(figures: Sequence[Row], systems: Sequence[str], caption: str) -> Markup | None:
    """A row for each measure and a column for each system; None without figures."""
    if not figures:
        return None
    cells = {(figure["measure"], figure["system"]): figure for figure in figures}
    measures = list(dict.fromkeys(figure["measure"] for figure in figures))
    columns = [system for system in systems if any(system == of for _, of in cells)]
    best = {measure: max(cells[key]["mean"] for key in cells if key[0] == measure) for measure in measures}
    low, high = min(of["low"] for of in figures), max(of["high"] for of in figures)
    rows = [
        [_figure_cell(cells.get((measure, system)), best[measure], low, high) for system in columns]
        for measure in measures
    ]
    note = "Below each figure its 95 % bootstrap interval; the highest of a row is bold."
    return _grid(f"{caption} {note}", ["measure", *columns], list(zip(measures, rows, strict=True)))


def _figure_cell(of: Row | None, best: float, low: float, high: float) -> Markup:
    if of is None:
        return element("td", "–")
    number = element("b" if of["mean"] == best else "span", _mean(of), class_="number")
    return element("td", _line(number, interval_bar(_interval(of), low, high)), element("small", _range(of)))


def difference_table(differences: Sequence[Row], figures: Sequence[Row]) -> Markup | None:
    """A row for each measure and a column for each pair of systems; None without pairs."""
    if not differences:
        return None
    pairs = list(dict.fromkeys((of["a"], of["b"]) for of in differences))
    cells = {(of["measure"], of["a"], of["b"]): of for of in differences}
    order = list(dict.fromkeys(of["measure"] for of in figures))
    measures = [measure for measure in order if any(measure == key[0] for key in cells)]
    reach = max(max(abs(of["low"]), abs(of["high"])) for of in differences) or 1.0
    rows = [(measure, [_difference_cell(cells.get((measure, *pair)), reach) for pair in pairs]) for measure in measures]
    caption = (
        "What the first system counts more than the second on the same questions, with the 95 % bootstrap interval and "
        "the two-sided p of the paired randomisation test. Bold is p < 0.05. Nothing is corrected for testing many "
        "things at once."
    )
    return _grid(caption, ["measure", *(f"{a} − {b}" for a, b in pairs)], rows)


def _difference_cell(of: Row | None, reach: float) -> Markup:
    if of is None:
        return element("td", "–")
    p = "p\u00a0<\u00a00.001" if of["p"] < 0.001 else f"p\u00a0=\u00a0{of['p']:.3f}"
    number = element("b" if of["p"] < SIGNIFICANT else "span", _mean(of, "+"), class_="number")
    bar = interval_bar(_interval(of), -reach, reach, zero=True)
    return element("td", _line(number, bar), element("small", f"{_range(of, '+')}, {p}"))


def failure_tables(failures: Mapping[str, Mapping[str, Any]], figures: Sequence[Row]) -> Markup | None:
    """For each number of passages read a table: a row for each outcome, a column for each system."""
    counts = dict.fromkeys(n for of in failures.values() for n in of)
    found = [_failure_table(n, failures, figures) for n in sorted(counts, key=int, reverse=True)]
    return joined(*found) if found else None


def _failure_table(n: str, failures: Mapping[str, Mapping[str, Any]], figures: Sequence[Row]) -> Markup:
    right = {
        of["system"]: (round(of["mean"] * of["questions"]), of["questions"])
        for of in figures
        if of["measure"] == f"EM@{n}"
    }
    systems = [system for system, of in failures.items() if n in of]
    rows = [
        (
            kind,
            [
                _count_cell(right[s][0] if kind == RIGHT else failures[s][n][kind]["count"], right[s][1], number)
                for s in systems
            ],
        )
        for number, kind in enumerate((RIGHT, *KINDS))
    ]
    caption = f"{n} passages read: the answers of each system, and the first step at which the wrong ones were lost."
    return _grid(caption, ["outcome", *systems], rows)


def _count_cell(count: int, of: int, number: int) -> Markup:
    number_of = element("span", f"{count:,}", " ", element("small", f"{percent(count / of)} %"), class_="count")
    return element("td", _line(number_of, share_bar([(f"o{number}", count / of)])))


def _line(*content: Markup) -> Markup:
    return element("div", *content, class_="cell")


def _grid(caption: str, head: Sequence[str], rows: Sequence[tuple[str, Sequence[Markup]]]) -> Markup:
    table = element(
        "table",
        element("caption", element("span", caption)),
        element("thead", element("tr", [element("th", name, scope="col", dir="auto") for name in head])),
        element("tbody", [element("tr", element("th", name, scope="row"), cells) for name, cells in rows]),
    )
    return scrolling(table, caption)


def scrolling(table: Markup, label: str) -> Markup:
    """A table that scrolls by itself where it is wider than the page, by keyboard too."""
    return element("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def _interval(of: Row) -> Interval:
    return Interval(of["mean"], of["low"], of["high"])


def _mean(of: Row, sign: str = "") -> str:
    return _number(of["mean"], of["measure"], sign)


def _range(of: Row, sign: str = "") -> str:
    return f"{_number(of['low'], of['measure'], sign)} to {_number(of['high'], of['measure'], sign)}"


def _number(value: float, measure: str, sign: str) -> str:
    return written(measure, value, sign).replace("-", "−")
