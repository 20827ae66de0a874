"""What a report begins with: which comparison, what it shows, and the questions that decide it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opendpr.evaluation.contrasts import after_minus_before, asked_pairs, contrast, headline_measures
from opendpr.evaluation.figures import Figure, PairedFigure
from opendpr.evaluation.page.verdict import single_verdict, verdict
from opendpr.evaluation.statistics import Difference, Interval


@pytest.mark.parametrize(
    ("systems", "labels", "pairs"),
    [
        ([["bm25", "dense", "hybrid"]], [""], [("bm25", "dense"), ("bm25", "hybrid")]),
        ([["hybrid"]], [""], []),
        ([["bm25", "hybrid"], ["dense", "hybrid"]], ["before:", "after:"], [("before:hybrid", "after:hybrid")]),
        ([["bm25"], ["dense"], ["hybrid"]], ["a:", "b:", "c:"], [("a:bm25", "b:dense"), ("a:bm25", "c:hybrid")]),
    ],
)
def test_what_was_asked_for_is_compared(
    systems: list[list[str]], labels: list[str], pairs: list[tuple[str, str]]
) -> None:
    assert asked_pairs(systems, labels) == pairs


def test_the_measure_that_counts_most_comes_first() -> None:
    assert headline_measures(["answer@1", "answer@20", "answer@100", "EM@5", "EM@20", "F1@20"]) == [
        "EM@20", "answer@20"
    ]  # fmt: skip
    assert headline_measures(["answer@1", "answer@5", "MRR", "nDCG@10"]) == ["answer@5", "nDCG@10"]
    assert headline_measures(["MRR"]) == []


def test_questions_are_won_lost_or_as_before() -> None:
    measured = {
        "a": {"1": {"answer@5": 1.0}, "2": {"answer@5": 0.0}, "3": {"answer@5": 1.0}, "4": {}, "5": {"answer@5": 1.0}},
        "b": {"1": {"answer@5": 0.0}, "2": {"answer@5": 1.0}, "3": {"answer@5": 1.0}, "4": {"answer@5": 1.0}},
    }
    compared = contrast("a", "b", measured)
    assert compared
    assert (compared.measure, compared.won, compared.lost, compared.equal) == ("answer@5", ["2"], ["1"], 1)
    assert contrast("a", "b", {"a": {"1": {"MRR": 1.0}}, "b": {"1": {"MRR": 0.5}}}) is None


@pytest.mark.parametrize(
    ("value", "outcome", "words"),
    [
        (Difference(0.0, -0.038, 0.038, 1.0), "open", "is not shown to be better than"),
        (Difference(-0.05, -0.09, -0.01, 0.01), "better", "is better than"),
        (Difference(0.05, 0.01, 0.09, 0.01), "worse", "is worse than"),
    ],
)
def test_a_verdict_says_no_more_than_the_interval(value: Difference, outcome: str, words: str) -> None:
    pair = PairedFigure("before:hybrid", "after:hybrid", "answer@5", 100, value)
    shown = verdict(after_minus_before([pair], "before:hybrid", "after:hybrid"))
    assert shown
    assert (shown.outcome, shown.words) == (outcome, words)
    if outcome == "open":
        assert shown.figures == "answer@5 +0.0 (−3.8 to +3.8)"
    assert (shown.after, shown.before) == ("after:hybrid", "before:hybrid")
    assert verdict([replace(pair, measure="MRR")]) is None


def test_one_system_alone_is_described_by_its_figures() -> None:
    figures = [Figure("bm25", "answer@20", 9, Interval(0.5, 0.25, 0.75)), Figure("bm25", "MRR", 9, Interval(1, 1, 1))]
    assert single_verdict(figures) == "answer@20 50.0 % (25.0 to 75.0)"
