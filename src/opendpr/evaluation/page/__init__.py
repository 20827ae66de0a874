"""The report as one HTML page, without scripts and without anything from outside."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import NamedTuple

from markupsafe import Markup

from opendpr.evaluation.contrasts import Contrast, after_minus_before
from opendpr.evaluation.figures import Figure, PairedFigure
from opendpr.evaluation.page.charts import ChartLine, accuracy_chart, coverage_chart, key, reliability_chart
from opendpr.evaluation.page.examples import Example
from opendpr.evaluation.page.tables import Table, difference_table, failure_tables, figure_table, tiles
from opendpr.evaluation.page.verdict import Verdict, single_verdict, verdict
from opendpr.evaluation.summary import SetSummary
from opendpr.evaluation.tables import unjudged_in_words
from opendpr.jinja2 import template_environment
from opendpr.wording import counted

RETRIEVAL_MEASURES = ("answer", "document")
READER_MEASURES = ("EM", "F1")


class Calibration(NamedTuple):
    """How far the confidence of a system's answers can be trusted."""

    error: float
    """The expected calibration error."""
    area: float
    """How often a right answer is surer than a wrong one; NaN without at least one of both."""
    questions: int
    """Questions with known answers."""
    answered: int
    """How many of them got an answer, rather than "no answer found"."""
    right: float
    """Exact match of the answers given; NaN if none was given."""

    def in_words(self) -> str:
        """The same as part of a sentence."""
        words = f"expected calibration error {self.error:.3f}"
        if not math.isnan(self.area):
            words += f", right answers surer than wrong ones in {100 * self.area:.0f} %"
        if self.answered == self.questions:
            return words
        words += f", an answer given to {self.answered:,} of {counted(self.questions, 'question')}"
        return words if math.isnan(self.right) else f"{words}, {100 * self.right:.1f} % of these right"


@dataclass(frozen=True)
class ShownContrast:
    """A comparison with some of the questions that decide it, each as the system before and after answered it."""

    contrast: Contrast
    won: Sequence[tuple[Example, Example]]
    lost: Sequence[tuple[Example, Example]]


@dataclass(frozen=True)
class SetReport:
    """What is reported of one set of questions."""

    name: str
    summary: SetSummary
    curves: Mapping[str, Sequence[ChartLine]]
    """Accuracy over k of each system, by what is found: `answer`, `document`."""
    coverage: Sequence[ChartLine]
    """Exact match of each system over the share of questions answered."""
    examples: Sequence[Example]
    reliability: Sequence[ChartLine] = ()
    """Exact match of each system's answers over their confidence."""
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    """System -> how far its confidence can be trusted."""
    contrasts: Sequence[ShownContrast] = ()
    """The comparisons that were asked for."""


@dataclass(frozen=True)
class EvaluationReport:
    """What a page shows."""

    title: str
    about: str
    """What was evaluated, in a sentence."""
    settings: Mapping[str, Mapping[str, str]]
    """Run -> name of a setting -> value."""
    sets: Sequence[SetReport]
    problems: Mapping[str, str]
    """Question -> why it could not be judged as wanted."""


class Chart(NamedTuple):
    """A chart with its legend and what to know to read it."""

    title: str
    drawing: Markup
    legend: Sequence[tuple[Markup, str]]
    """Mark and name of each line."""
    note: str


def write_page(report: EvaluationReport) -> str:
    """The whole page. The same report gives the same page, to the last character."""
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    template = template_environment("opendpr.evaluation").get_template("report.html.jinja")
    return template.render(
        report=report,
        sections=list(map(_section, report.sets)),
        setting_names=list(dict.fromkeys(name for settings in report.settings.values() for name in settings)),
        style=Markup(style),
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _section(report: SetReport) -> dict[str, object]:
    """What the template shows of one set of questions."""
    summary = report.summary
    systems = list(dict.fromkeys(figure.system for figure in summary.figures))
    outcomes = dict.fromkeys(example.outcome for example in report.examples)
    differences = _asked_differences(report)
    pairs = [{pair.a, pair.b} for pair in differences]
    others = [pair for pair in summary.differences if {pair.a, pair.b} not in pairs]
    return {
        "name": report.name,
        "questions": summary.questions,
        "unjudged": unjudged_in_words(summary.unjudged) if summary.unjudged else "",
        "verdicts": _verdicts(differences),
        "alone": single_verdict(summary.figures) if len(systems) == 1 else "",
        "system": systems[0] if systems else "",
        "contrasts": report.contrasts,
        "tiles": tiles(summary.figures, systems),
        "curves": [_curves(target, lines) for target, lines in report.curves.items()],
        "tables": _figure_tables(summary.figures, systems),
        "differences": difference_table(differences or others, summary.figures),
        "other_differences": difference_table(others if differences else [], summary.figures),
        "failures": failure_tables(summary.failures, summary.figures),
        "confidence": [
            *([_coverage(report.coverage)] if report.coverage else []),
            *([_reliability(report.reliability, report.calibration)] if report.reliability else []),
        ],
        "examples": {
            outcome: [example for example in report.examples if example.outcome == outcome] for outcome in outcomes
        },
    }


def _asked_differences(report: SetReport) -> list[PairedFigure]:
    """The differences of the comparisons that were asked for, later minus earlier."""
    pairs = [(shown.contrast.before, shown.contrast.after) for shown in report.contrasts]
    return [pair for before, after in pairs for pair in after_minus_before(report.summary.differences, before, after)]


def _verdicts(differences: Sequence[PairedFigure]) -> list[Verdict]:
    """What each comparison that was asked for shows."""
    by_pair: dict[tuple[str, str], list[PairedFigure]] = {}
    for pair in differences:
        by_pair.setdefault((pair.a, pair.b), []).append(pair)
    return [sentence for own in by_pair.values() if (sentence := verdict(own))]


def _figure_tables(figures: Sequence[Figure], systems: Sequence[str]) -> dict[str, Table]:
    """Heading -> table, of those that have figures."""
    groups = [figure.measure.split("@")[0] for figure in figures]
    captions = {
        "Retrieval": "Top-k accuracy: the share of questions with an answer "
        "(answer@k) or a passage of a gold document (document@k) among the first k passages, in per cent.",
        "Judged documents": "Means over the questions with judgements.",
        "Answers": "The reader's best answer after n passages: "
        "exact match (EM@n) and F1 over words (F1@n), in per cent.",
    }
    headings = [
        "Retrieval" if group in RETRIEVAL_MEASURES else "Answers" if group in READER_MEASURES else "Judged documents"
        for group in groups
    ]
    return {
        heading: figure_table(
            [figure for figure, under in zip(figures, headings, strict=True) if under == heading], systems, caption
        )
        for heading, caption in captions.items()
        if heading in headings
    }


def _curves(target: str, lines: Sequence[ChartLine]) -> Chart:
    what = {"answer": "an answer", "document": "a passage of a gold document"}[target]
    title = f"Questions with {what} among the first k passages"
    description = f"Top-k accuracy in per cent over k, k on a logarithmic axis. {_ends(lines)}"
    note = "Whiskers are 95 % bootstrap intervals, drawn side by side. The percentages need not begin at 0."
    return Chart(title, accuracy_chart(lines, title, description), _legend(lines), note)


def _coverage(lines: Sequence[ChartLine]) -> Chart:
    title = "Exact match of the answers that the reader is surest of"
    description = f"Exact match in per cent over the share of questions answered. {_ends(lines)}"
    note = (
        "Questions are sorted by the confidence of their answer. A line that falls to the right shows that the "
        "confidence is worth something; at its right end all questions are answered. "
        "The gap to 100 % is the error rate."
    )
    return Chart(title, coverage_chart(lines, title, description), _legend(lines), note)


def _reliability(lines: Sequence[ChartLine], calibration: Mapping[str, Calibration]) -> Chart:
    title = "How often answers of a confidence are right"
    description = f"Exact match in per cent over the confidence of the answers. {_ends(lines)}"
    systems = "; ".join(f"{system}: {values.in_words()}" for system, values in calibration.items())
    note = (
        "On the dashed line a confidence is what it says. "
        f"Ten bins of equal width, with 95 % Wilson intervals. {systems}."
    )
    return Chart(title, reliability_chart(lines, title, description), _legend(lines), note)


def _ends(lines: Iterable[ChartLine]) -> str:
    """Where each line begins and ends, in words."""
    return " ".join(
        f"{line.name}: from {100 * line.values[0][1]:.1f} % to {100 * line.values[-1][1]:.1f} %." for line in lines
    )


def _legend(lines: Sequence[ChartLine]) -> list[tuple[Markup, str]]:
    return [(key(number), line.name) for number, line in enumerate(lines)]
