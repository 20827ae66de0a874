"""Whether to switch: answers before and after, to questions that nothing was learned from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from opendpr.choices import READ_PASSAGES
from opendpr.evaluation.contrasts import after_minus_before
from opendpr.evaluation.page.verdict import Verdict, verdict
from opendpr.evaluation.records import AnswerJudgement
from opendpr.evaluation.run import read_question_records, read_run
from opendpr.evaluation.statistics import Difference, compare
from opendpr.evaluation.summary import Summary, summary
from opendpr.wording import counted


class Decision(NamedTuple):
    """What the questions kept apart say of a model."""

    switch: bool
    sentence: str
    """Whether to switch, and why."""
    summary: Summary
    """All figures of both runs."""
    exact_match: Difference
    """How much more of the questions are answered exactly rightly, as a share."""
    confidence_error: Difference
    """How much the squared error of the confidence changed: below 0 it is closer to the truth."""


def decide(before: Path, after: Path) -> Decision:
    """Compare two runs over the same questions, by what counts most: exact match after the most passages read.

    A model whose answers are not shown to be better or worse is still worth switching to if its confidence is shown to
    be closer to the truth.
    """
    both = summary([read_run(before), read_run(after)])
    [figures] = both.sets.values()
    [system] = both.runs[before.name].systems
    first, second = f"{before.stem}:{system}", f"{after.stem}:{system}"
    pairs = after_minus_before(figures.differences, first, second)
    said = verdict(pairs)
    assert said is not None  # every part has questions with answers, which are read
    errors = [_squared_errors(path) for path in (before, after)]
    keys = sorted(errors[0])
    [confidence] = compare([[errors[1][key]] for key in keys], [[errors[0][key]] for key in keys])
    switch, words = _choice(said, confidence)
    change = "{:+.3f} ({:+.3f} to {:+.3f})".format(*confidence[:3]).replace("-", "\N{MINUS SIGN}")
    sentence = (
        f"{words}: {said.after} {said.words} {said.before}, {said.figures}; squared error of the confidence {change}; "
        f"on {counted(figures.questions, 'question')} kept apart"
    )
    exact_match = {pair.measure: pair.value for pair in pairs}[f"EM@{READ_PASSAGES}"]
    return Decision(switch, sentence, both, exact_match, confidence)


def _choice(said: Verdict, confidence: Difference) -> tuple[bool, str]:
    if said.outcome == "better":
        return True, "switch"
    if said.outcome == "open" and confidence.high < 0:
        return True, "switch, for its confidence is closer to the truth"
    return False, "stay"


def _squared_errors(path: Path) -> Mapping[str, float]:
    """How far the confidence in the answer to each question was from what it should have been, squared."""
    errors = {}
    for record in read_question_records(path):
        if isinstance(record.judgement, AnswerJudgement):
            answer = record.judgement.read[max(record.judgement.read)]
            errors[record.question.id] = (answer.confidence - (answer.EM or 0.0)) ** 2
    return errors
