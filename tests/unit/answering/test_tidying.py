"""Spans as people would mark them."""

from __future__ import annotations

import pytest

from marked import mark
from opendpr.answering.tidying import tidied


def test_if_nothing_else_was_marked_a_sign_is_the_answer() -> None:
    sign, words = mark("a line that begins with #", "#"), mark("a line that begins with #", "begins")
    assert tidied([sign]) == [sign]
    assert tidied([sign, words]) == [words]


@pytest.mark.parametrize(
    ("text", "question", "words", "expected"),
    [
        ("  -p, --port N  where to listen (default 8080)", "default port of kettled", "N", "8080"),
        ("| `--max-jobs N` | 4 | jobs at once |", "What is the default of --max-jobs?", "N", "4"),
        ("Lines are flushed after `30 seconds`", "How long until lines are flushed?", "`30", "30 seconds"),
        ("The keeper is **Odo Brandwijk**.", "Who is the keeper?", "**Odo Brandwijk**", "Odo Brandwijk"),
        ("keeps a lamp (oil: 5 litres) lit", "How much oil does the lamp take?", "5 litres) lit", "5 litres"),
    ],
)
def test_the_rules_work_together(text: str, question: str, words: str, expected: str) -> None:
    [span] = tidied([mark(text, words)], question)
    assert span.text == expected
    assert text[span.start - 100 : span.end - 100] == expected
