"""The report's charts: from numbers to coordinates, worked out by hand."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from opendpr.evaluation.page.charts import (
    ChartLine,
    accuracy_chart,
    coverage_chart,
    interval_bar,
    log_axes,
    reliability_chart,
    share_axes,
    share_bar,
)
from opendpr.evaluation.report import coverage, curve_ks
from opendpr.evaluation.statistics import Interval

# The plot is 470 wide, from 64 to 534, and 280 high, from 14 to 294.
LINE = ChartLine("bm25", [(1, 0.5), (10, 0.75), (100, 1.0)], {10: Interval(0.75, 0.7, 0.8)})


def points(svg: str) -> list[list[tuple[float, float]]]:
    lines = ElementTree.fromstring(svg).iter("polyline")
    return [[tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()] for line in lines]


def test_each_power_of_ten_is_as_far_from_the_last_on_the_axis_of_k() -> None:
    assert points(accuracy_chart([LINE], "t", "d")) == [[(64, 294), (299, 154), (534, 14)]]


def test_the_axis_of_shares_takes_whole_tenths_around_what_is_drawn_whiskers_too() -> None:
    axes = log_axes([ChartLine("a", [(1, 0.42), (8, 0.58)], {1: Interval(0.42, 0.39, 0.45)})], "k")
    assert axes.y_ticks == pytest.approx([0.3, 0.4, 0.5, 0.6])
    assert (axes.y(0.6), axes.y(0.3)) == pytest.approx((14, 294))
    assert axes.x_ticks == [1, 2, 5]


def test_a_wide_axis_has_a_tick_every_two_tenths() -> None:
    axes = log_axes([ChartLine("a", [(1, 0.15), (2, 0.98)])], "k")
    assert axes.y_ticks == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_line_that_is_flat_has_room(share: float) -> None:
    axes = log_axes([ChartLine("a", [(1, share)])], "k")
    assert 14 <= round(axes.y(share), 6) <= 294
    assert len(set(axes.y_ticks)) > 1
    assert 0 <= min(axes.y_ticks) <= max(axes.y_ticks) <= 1


def test_coverage_is_drawn_on_an_even_axis() -> None:
    assert points(coverage_chart([ChartLine("a", [(0, 1.0), (50, 0.5), (100, 0.0)])], "t", "d")) == [
        [(64, 14), (299, 154), (534, 294)]
    ]
    assert share_axes([], "x").x_ticks == [0, 20, 40, 60, 80, 100]


def test_whiskers_end_where_the_interval_ends_and_are_side_by_side() -> None:
    svg = ElementTree.fromstring(accuracy_chart([LINE, LINE], "t", "d"))
    whiskers = [path.attrib["d"] for path in svg.iter("path") if path.attrib["class"] == "whisker"]
    # 0.8 is two fifths below the top of 0.5 to 1, 0.7 three fifths
    assert whiskers == [
        "M296.5 182.0V126.0M293.5 182.0h6M293.5 126.0h6",
        "M301.5 182.0V126.0M298.5 182.0h6M298.5 126.0h6",
    ]
    titles = [title.text for title in svg.iter("title")]
    assert titles == ["t", "bm25 at 10: 75.0 % (70.0 to 80.0)", "bm25 at 10: 75.0 % (70.0 to 80.0)"]


def test_a_chart_is_described_in_words_and_names_are_text() -> None:
    svg = ElementTree.fromstring(accuracy_chart([ChartLine('<b>"&', [(1, 0.5)])], "<title>", "words"))
    assert svg.attrib["role"] == "img"
    assert (svg.find("title").text, svg.find("desc").text) == ("<title>", "words")
    assert [line.attrib["data-name"] for line in svg.iter("g") if "data-name" in line.attrib] == ['<b>"&']


def test_a_reliability_diagram_has_both_axes_whole_and_the_diagonal_between_them() -> None:
    svg = reliability_chart([ChartLine("a", [(0, 0.25), (50, 0.5)], {50: Interval(0.5, 0.4, 0.6)})], "t", "d")
    assert points(svg) == [[(64, 224), (299, 154)]]
    ideal = next(line for line in ElementTree.fromstring(svg).iter("line") if line.get("class") == "ideal")
    assert [float(ideal.attrib[at]) for at in ("x1", "y1", "x2", "y2")] == [64, 294, 534, 14]
    assert "a at 50 %: 50.0 % (40.0 to 60.0)" in svg


def test_an_interval_is_drawn_on_the_scale_that_it_shares() -> None:
    svg = ElementTree.fromstring(interval_bar(Interval(0.0, -0.5, 0.25), -1, 1, zero=True))
    line, bar, mean = svg
    assert line.attrib["x1"] == mean.attrib["cx"] == "60.0"
    assert (bar.attrib["x"], bar.attrib["width"]) == ("32.0", "42.0")


def test_a_bar_has_its_parts_one_after_the_other() -> None:
    bars = ElementTree.fromstring(share_bar([("a", 0.25), ("b", 0.5)]))
    assert [(bar.attrib["x"], bar.attrib["width"]) for bar in bars] == [("0.0", "25.0"), ("25.0", "50.0")]


def test_a_curve_has_every_k_up_to_a_hundred_then_fewer_and_always_those_measured() -> None:
    assert curve_ks(5, {}) == [1, 2, 3, 4, 5]
    ks = curve_ks(10_000, {777: Interval(0, 0, 0)})
    assert ks[:100] == list(range(1, 101))
    assert {777, 10_000} <= set(ks)
    assert len(ks) < 220


def test_coverage_answers_the_surest_questions_first() -> None:
    line = dict(coverage([(0.1, 0.0), (0.9, 1.0), (0.5, 1.0), (0.2, 0.0)]))
    assert (line[25], line[50], line[75], line[100]) == (1.0, 1.0, 2 / 3, 0.5)
    assert line[30] == 1.0  # 1.2 questions are 2
    assert line[55] == 2 / 3
