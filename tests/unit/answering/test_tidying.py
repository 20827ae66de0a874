"""Spans as people would mark them."""

from __future__ import annotations

import pytest

from opendpr.answering.tidying import is_answer, tidied, with_unit, without_half_a_pair
from opendpr.types import Hit, Passage, Span


def mark(text: str, words: str, start: int = 100) -> Span:
    """The last place of words in a passage that begins at `start`."""
    first = start + text.rindex(words)
    return Span(Hit(Passage(1, "d", "", text, start), 1.0), first, first + len(words), words, 0.0, -1.0)


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("The maximum size is 281 terabytes.", "281", "281 terabytes"),
        ("waits five seconds before", "five", "five seconds"),
        ("at -41.5 °C in May", "-41.5", "-41.5 °C"),
        ("a rate of 5 % a year", "5", "5 %"),
        ("cost 3 million dollars to", "3", "3 million dollars"),
        ("a timeout of 30s.", "30s", "30s"),
        ("after 20 ms, at most", "20", "20 ms"),
        ("uses 64KB of memory", "64", "64KB"),
        ("in 1888 men came", "1888", "1888"),
        ("has 12 managers", "12", "12"),
        ("a 281\n\nterabytes", "281", "281"),
        ("the second day", "second", "second"),
        ("up to 7 days-long trips", "7", "7"),
    ],
)
def test_a_number_keeps_the_unit_behind_it(text: str, words: str, whole: str) -> None:
    span = with_unit(mark(text, words), "")
    assert span.text == whole
    assert text[span.start - 100 : span.end - 100] == whole


def test_a_unit_that_the_question_asks_with_is_not_repeated() -> None:
    assert with_unit(mark("The limit is 281 terabytes.", "281"), "How many terabytes is the limit?").text == "281"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Title", "#"),
        ("type <n> here", "<n>"),
        ("type `<n>` here", "n"),
        ("GET /users/{id}", "id"),
        ("git-credential-cache(1)", "1"),
        ("see open(2)", "(2)"),
    ],
)
def test_signs_placeholders_and_sections_of_manuals_are_no_answers(text: str, words: str) -> None:
    assert not is_answer(mark(text, words))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("it was -1 once", "-1"),
        ("it costs $5", "$5"),
        ("add --force to it", "--force"),
        ("written in C++", "C++"),
        ("press <Esc> twice", "<Esc>"),
        ("mail <keeper@orvik.example>", "<keeper@orvik.example>"),
        ("see git(1)", "git(1)"),
        ("call f(1)", "f(1)"),
        ("(1888)", "1888"),
    ],
)
def test_what_has_signs_may_well_be_an_answer(text: str, words: str) -> None:
    assert is_answer(mark(text, words))


@pytest.mark.parametrize(
    ("text", "words", "bare"),
    [
        ("The owner is **Halvard Lund**, who", "Halvard Lund**", "Halvard Lund"),
        ("The owner is **Halvard Lund**, who", "**Halvard Lund", "Halvard Lund"),
        ("The beer is *Black Tern*, a porter", "Black Tern*", "Black Tern"),
        ("by default `info`.", "info`", "info"),
        ("The owner is **Halvard Lund**, who", "**Halvard Lund**", "**Halvard Lund**"),
        ("takes *args and **kwargs", "**kwargs", "**kwargs"),
        ("matches src/** and", "src/**", "src/**"),
        ("**Note** files of *.txt and *", "txt and *", "txt and *"),
        ("**one** and **two**", "one** and **two**", "one** and **two**"),
    ],
)
def test_half_a_pair_of_emphasis_is_left_out(text: str, words: str, bare: str) -> None:
    span = without_half_a_pair(mark(text, words))
    assert span.text == bare
    assert text[span.start - 100 : span.end - 100] == bare


def test_if_nothing_else_was_marked_a_sign_is_the_answer() -> None:
    sign, words = mark("a line that begins with #", "#"), mark("a line that begins with #", "begins")
    assert tidied([sign]) == [sign]
    assert tidied([sign, words]) == [words]
