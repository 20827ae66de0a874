"""The report's page: what is foreign stays text, what is marked is what was said."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from markupsafe import Markup, escape

from opendpr.evaluation.failures import FAILURE_KINDS
from opendpr.evaluation.figures import Figure, PairedFigure
from opendpr.evaluation.page import Calibration, EvaluationReport, SetReport, write_page
from opendpr.evaluation.page.charts import ChartLine
from opendpr.evaluation.page.examples import PASSAGE_CHARACTERS, Example, ShownPassage
from opendpr.evaluation.page.svg import element
from opendpr.evaluation.statistics import Difference, Interval
from opendpr.evaluation.summary import FailureCount, SetSummary

HOSTILE = [
    "<script>window.marker = 1</script>",
    "\"><img src=x onerror='window.marker = 1'>",
    "</style><script>window.marker = 1</script>",
    "' onmouseover='window.marker = 1",
    "javascript:window.marker = 1",
    "]]><svg/onload=window.marker=1>",
    "&lt;script&gt;",
]


def page(text: str) -> str:
    """A page with a foreign text in every place."""
    passage = ShownPassage(1, text, text, f"{text} {text}", [(0, len(text))], (1, len(text) + 2))
    interval = Interval(0.5, 0.2, 0.8)
    figures = [Figure(text, measure, 4, interval) for measure in ("EM@5", "answer@1")]
    differences = [PairedFigure(text, text, "EM@5", 4, Difference(*interval, p=0.5))]
    failures = {text: {5: {kind: FailureCount(1, []) for kind in FAILURE_KINDS}}}
    summary = SetSummary(4, figures, differences, failures)
    line = ChartLine(text, [(1, 0.5), (5, 0.75)])
    example = Example("right", text, text, text, [text] * 20, text, 0.5, [passage])
    calibration = {text: Calibration(0.05, 0.8, 4, 4, 0.5)}
    questions = SetReport(text, summary, {"answer": [line]}, [line], [example], [line], calibration)
    return write_page(EvaluationReport(text, text, {text: {"collection": text}}, [questions, questions], {text: text}))


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_is_escaped_wherever_it_is(text: str) -> None:
    written, plain = page(text), page("plain")
    assert escape(text) in written
    tags = re.compile(r"<[a-zA-Z/!][^<>]*>")
    names = [re.match(r"</?\w+", tag)[0] for tag in tags.findall(written) if tag != "<!DOCTYPE html>"]
    assert set(names) == {re.match(r"</?\w+", tag)[0] for tag in tags.findall(plain) if tag != "<!DOCTYPE html>"}
    assert "<script" not in written
    assert "<img" not in written


def test_nothing_comes_from_outside() -> None:
    written = page("plain")
    assert "default-src 'none'; style-src 'sha256-" in written
    assert not re.search(r"https?:|//\w|url\(|@import|<script|<link|<iframe| on\w+=| style=", written)
    assert {match for match in re.findall(r' href="([^"]*)"', written)} == {
        "#figures", "#settings", "#set-1", "#set-2"
    }  # fmt: skip


def test_every_table_has_a_caption_and_every_chart_a_title_and_words() -> None:
    written = page("plain")
    assert written.count("<table") == written.count("<caption>") > 4
    charts = re.findall(r'<svg [^>]*role="img".*?</svg>', written)
    assert len(charts) == 6
    assert all("<title>" in chart and "<desc>" in chart for chart in charts)
    assert all('aria-hidden="true"' in svg for svg in re.findall(r"<svg [^>]*>", written) if 'role="img"' not in svg)


def test_where_all_answers_are_wrong_nothing_is_said_of_how_they_compare() -> None:
    questions = SetReport(
        "s",
        SetSummary(1, [], [], {}),
        {},
        [],
        [],
        [ChartLine("a", [(5, 0.0)]), ChartLine("b", [(5, 0.5)])],
        {"a": Calibration(0.05, float("nan"), 4, 0, float("nan")), "b": Calibration(0, 1, 4, 3, 2 / 3)},
    )
    written = write_page(EvaluationReport("t", "a", {}, [questions], {}))
    assert "a: expected calibration error 0.050, an answer given to 0 of 4 questions; b: expected" in written
    assert "in 100 %, an answer given to 3 of 4 questions, 66.7 % of these right." in written
    assert "nan" not in re.sub("<style>.*</style>", "", written, flags=re.DOTALL)


def test_elements_escape_all_but_markup() -> None:
    assert element("g", "a<b", Markup("<b>"), None, ["&", 3]) == "<g>a&lt;b<b>&amp;3</g>"
    assert element("rect", title='"', class_="x", aria_label="y", lang=None) == (
        '<rect title="&#34;" class="x" aria-label="y"></rect>'
    )


def test_what_is_expected_and_what_is_given_are_marked_where_they_overlap_too() -> None:
    passage = ShownPassage(1, "id", "title", "in the 10th century, and", [(7, 19)], (7, 11))
    assert list(passage.pieces()) == [
        ("", "in the "), ("answer given", "10th"), ("answer", " century"), ("", ", and")
    ]  # fmt: skip


def test_a_long_passage_is_cut_around_what_was_given() -> None:
    text = f"{'x' * 5_000} word {'y' * 5_000}"
    pieces = list(ShownPassage(1, "id", "", text, [], (5_001, 5_005)).pieces())
    assert ("given", "word") in pieces
    assert (pieces[0], pieces[-1]) == (("", "… "), ("", " …"))
    assert sum(len(piece) for _, piece in pieces) < PASSAGE_CHARACTERS + 50


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_lines_stand_out_from_what_is_behind_them(scheme: str) -> None:
    style = files("opendpr.evaluation.page").joinpath("style.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[("light", "dark").index(scheme)]
    colours = dict(re.findall(r"--(\w+): (#\w{6});", block))

    def contrast(a: str, b: str) -> float:
        high, low = sorted((luminance(colours[a]), luminance(colours[b])), reverse=True)
        return (high + 0.05) / (low + 0.05)

    words = [
        ("text", "page"),
        ("text", "card"),
        ("soft", "page"),
        ("soft", "card"),
        ("link", "page"),
        ("text", "answer"),
    ]
    assert {pair: contrast(*pair) for pair in words if contrast(*pair) < 4.5} == {}
    drawn = [f"{kind}{number}" for kind in "co" for number in range(6)] + ["given"]
    assert {name: contrast(name, "card") for name in drawn if contrast(name, "card") < 3} == {}
