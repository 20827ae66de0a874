"""Where answers stand in a text that is shown."""

from __future__ import annotations

import pytest

from opendpr.text import has_answer
from opendpr.text.occurrences import answer_places


@pytest.mark.parametrize(
    ("answers", "text", "found"),
    [
        (["albi"], "In Albi, and ALBI.", ["Albi", "ALBI"]),
        (["Albi"], "Albigeois", []),
        (["Saint-Lô"], "to Saint - Lô.", ["Saint - Lô"]),
        (["Saint-Lo\u0302"], "to Saint-Lô.", ["Saint-Lô"]),
        (["Saint-Lô"], "to Saint-Lo\u0302.", ["Saint-Lo\u0302"]),
        (["10th", "10th century"], "the 10th century", ["10th century"]),
        (["a b", "b c"], "a b c", ["a b", "b c"]),
        (["", " "], "text", []),
        (["1888"], "", []),
    ],
)
def test_the_words_of_answers_are_found_as_they_are_judged(answers: list[str], text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in answer_places(answers, text)] == found
    if any(answer.strip() for answer in answers):
        assert has_answer(answers, text) == bool(found)


def test_patterns_are_found() -> None:
    text = "In 1888, or é1888."
    assert [text[start:end] for start, end in answer_places([r"1\d{3}", "[", r"x*"], text, "regex")] == ["1888", "1888"]


def test_a_catastrophic_pattern_is_given_up() -> None:
    assert answer_places([r"(a+)+$"], "a" * 5_000 + "b", "regex") == []
