"""The report: one HTML page without scripts and without anything from outside, out of plain figures."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, NamedTuple

from opendpr.evaluation.page.charts import Line, accuracy_chart, coverage_chart, key, reliability_chart
from opendpr.evaluation.page.examples import Example, examples_section
from opendpr.evaluation.page.markup import Markup, element, joined
from opendpr.evaluation.page.tables import difference_table, failure_tables, figure_table, scrolling, tiles

RETRIEVAL = ("answer", "document")
READING = ("EM", "F1")


class Sureness(NamedTuple):
    """How far the confidence of a system's answers can be believed."""

    error: float
    """The expected calibration error."""
    area: float
    """How often a right answer is surer than a wrong one; NaN without one of each."""
    questions: int
    """Those with known answers."""
    answered: int
    """How many of them got an answer, rather than "no answer found"."""
    right: float
    """Exact match of the answers given; NaN if there is none."""

    def told(self) -> str:
        """In words."""
        found = f"expected calibration error {self.error:.3f}"
        if not math.isnan(self.area):
            found += f", right answers surer than wrong ones in {100 * self.area:.0f} %"
        if self.answered == self.questions:
            return found
        found += f", an answer given to {self.answered:,} of {self.questions:,} questions"
        return found if math.isnan(self.right) else f"{found}, {100 * self.right:.1f} % of these right"


@dataclass(frozen=True)
class SetReport:
    """What is told of one set of questions."""

    name: str
    questions: int
    figures: Sequence[Mapping[str, Any]]
    """`system`, `measure`, `questions`, `mean`, `low`, `high`."""
    differences: Sequence[Mapping[str, Any]]
    """`a`, `b`, `measure`, `questions`, `mean`, `low`, `high`, `p`."""
    failures: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]
    """System -> passages read -> kind of failure -> `count`."""
    curves: Mapping[str, Sequence[Line]]
    """Accuracy over k of each system, by what is found: `answer`, `document`."""
    coverage: Sequence[Line]
    """Exact match of each system over the share of questions answered."""
    examples: Sequence[Example]
    reliability: Sequence[Line] = ()
    """Exact match of each system's answers over their confidence."""
    calibration: Mapping[str, Sureness] = field(default_factory=dict)
    """Of each system."""


@dataclass(frozen=True)
class Report:
    """What a page tells."""

    title: str
    about: str
    """What was evaluated, in a sentence."""
    settings: Mapping[str, Mapping[str, str]]
    """Run -> name of a setting -> value."""
    sets: Sequence[SetReport]
    problems: Mapping[str, str]
    """Question -> what hindered its judgement."""


def write_page(report: Report) -> str:
    """The whole page. The same report gives the same page, to the last character."""
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", report.title),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("a", "To the figures", href="#figures", class_="skip"),
        element(
            "header",
            element("p", "opendpr report", class_="kicker"),
            element("h1", report.title, dir="auto"),
            element("p", report.about, dir="auto", class_="about"),
            element("p", element("a", "All settings", href="#settings"), class_="note"),
            _contents(report.sets),
        ),
        element(
            "main",
            [_set(one, f"set-{number}") for number, one in enumerate(report.sets, start=1)],
            _problems(report.problems),
            _settings(report.settings),
            id="figures",
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _contents(sets: Sequence[SetReport]) -> Markup | None:
    links = [
        element("li", element("a", one.name, href=f"#set-{number}", dir="auto"))
        for number, one in enumerate(sets, start=1)
    ]
    return element("nav", element("ul", links), aria_label="Question sets") if len(sets) > 1 else None


def _set(of: SetReport, id: str) -> Markup:
    names = list(dict.fromkeys(figure["system"] for figure in of.figures))
    retrieval, reading = _of(of.figures, RETRIEVAL), _of(of.figures, READING)
    judged = [figure for figure in of.figures if figure not in retrieval and figure not in reading]
    blocks = [
        element("h2", element("bdi", of.name), element("small", f"{of.questions:,} questions"), id=id, tabindex="-1"),
        tiles(of.figures, names),
        element("div", [_curves(found, lines) for found, lines in of.curves.items()], class_="figures"),
        _block(
            "Retrieval",
            figure_table(
                retrieval,
                names,
                "Top-k accuracy: the share of questions with an answer "
                "(answer@k) or a passage of a gold document (document@k) among the first k passages, in per cent.",
            ),
        ),
        _block("Judged documents", figure_table(judged, names, "Means over the questions with judgements.")),
        _block(
            "Answers",
            figure_table(
                reading,
                names,
                "The reader's best answer after n passages: exact match (EM@n) and F1 over words (F1@n), in per cent.",
            ),
        ),
        _block("Differences", difference_table(of.differences, of.figures)),
        _block("Why answers are wrong", failure_tables(of.failures, of.figures)),
        element("div", _coverage(of.coverage), _reliability(of.reliability, of.calibration), class_="sure"),
        examples_section(of.examples),
    ]
    return element("section", blocks, aria_labelledby=id)


def _of(figures: Sequence[Mapping[str, Any]], groups: Sequence[str]) -> list[Mapping[str, Any]]:
    return [figure for figure in figures if figure["measure"].split("@")[0] in groups]


def _block(heading: str, content: Markup | None) -> Markup | None:
    return joined(element("h3", heading), content) if content else None


def _curves(found: str, lines: Sequence[Line]) -> Markup:
    what = {"answer": "an answer", "document": "a passage of a gold document"}[found]
    title = f"Questions with {what} among the first k passages"
    description = f"Top-k accuracy in per cent over k, k on a logarithmic axis. {_ends(lines)}"
    chart = accuracy_chart(lines, title, description)
    note = "Whiskers are 95 % bootstrap intervals, drawn side by side. The percentages need not begin at 0."
    return _figure(title, chart, lines, note)


def _coverage(lines: Sequence[Line]) -> Markup | None:
    if not lines:
        return None
    title = "Exact match of the answers that the reader is surest of"
    description = f"Exact match in per cent over the share of questions answered. {_ends(lines)}"
    chart = coverage_chart(lines, title, description)
    note = (
        "Questions are sorted by the confidence of their answer. A line that falls to the right tells that the "
        "confidence is worth something; at its right end all questions are answered. What lacks to 100 % is the risk."
    )
    return _figure(title, chart, lines, note)


def _reliability(lines: Sequence[Line], calibration: Mapping[str, Sureness]) -> Markup | None:
    if not lines:
        return None
    title = "How often answers of a confidence are right"
    description = f"Exact match in per cent over the confidence of the answers. {_ends(lines)}"
    chart = reliability_chart(lines, title, description)
    told = "; ".join(f"{system}: {sure.told()}" for system, sure in calibration.items())
    note = (
        f"On the dashed line a confidence is what it says. Ten bins of equal width, with 95 % Wilson intervals. {told}."
    )
    return _figure(title, chart, lines, note)


def _ends(lines: Iterable[Line]) -> str:
    """What the lines tell, in words."""
    return " ".join(
        f"{line.name}: from {100 * line.values[0][1]:.1f} % to {100 * line.values[-1][1]:.1f} %." for line in lines
    )


def _figure(title: str, chart: Markup, lines: Sequence[Line], note: str) -> Markup:
    legend = element(
        "ul",
        [element("li", key(number), element("bdi", line.name)) for number, line in enumerate(lines)],
        class_="legend",
    )
    return element("figure", element("h3", title), legend, chart, element("figcaption", note))


def _problems(problems: Mapping[str, str]) -> Markup | None:
    if not problems:
        return None
    rows = [
        element("li", element("strong", question, dir="auto"), " ", element("span", told, dir="auto"))
        for question, told in problems.items()
    ]
    return element("section", element("h2", "Questions that could not be judged as wanted"), element("ul", rows))


def _settings(settings: Mapping[str, Mapping[str, str]]) -> Markup:
    names = list(dict.fromkeys(name for of in settings.values() for name in of))
    head = element(
        "thead", element("tr", element("td"), [element("th", run, scope="col", dir="auto") for run in settings])
    )
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            [element("td", of.get(name, "–"), dir="auto") for of in settings.values()],
        )
        for name in names
    ]
    caption = element("caption", element("span", "Everything that the figures depend on."))
    table = element("table", caption, head, element("tbody", rows), class_="settings")
    return element("section", element("h2", "What was evaluated"), scrolling(table, "Settings"), id="settings")
