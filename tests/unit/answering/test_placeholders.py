"""Spans that say nothing."""

from __future__ import annotations

import pytest

from marked import mark
from opendpr.answering.placeholders import is_answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Title", "#"),
        ("type <n> here", "<n>"),
        ("type `<n>` here", "n"),
        ("GET /users/{id}", "id"),
        ("git-credential-cache(1)", "1"),
        ("see open(2)", "(2)"),
        ("kettled [OPTIONS]", "OPTIONS"),
        ("lamp show [NAME...]", "[NAME...]"),
    ],
)
def test_signs_placeholders_and_sections_of_manuals_are_no_answers(text: str, words: str) -> None:
    assert not is_answer(mark(text, words))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  --port N   listen there", "N"),
        ("the number of jobs (`-j n`)", "n"),
        ("Usage:\n  -o, --output FILE  write there", "FILE"),
        ("use `--max-jobs JOBS` to bound it", "JOBS"),
        ("Options:\n  --delay=SECS\n", "SECS"),
        ("  -t, --time int   seconds to wait", "int"),
        ("- `--level LEVEL`: how much is logged", "LEVEL"),
        ("kettled [--temperature DEGREES] [--quiet]", "DEGREES"),
        ("| `--retries COUNT` | 3 |", "COUNT"),
    ],
)
def test_the_name_of_an_options_value_is_no_answer(text: str, words: str) -> None:
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
        ("start it with --port 8080", "8080"),
        ("it is started with --colour blue", "blue"),
        ("is stopped by kill -s TERM", "TERM"),
        ("the ship - NORDEN - sank", "NORDEN"),
    ],
)
def test_what_has_signs_may_well_be_an_answer(text: str, words: str) -> None:
    assert is_answer(mark(text, words))


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("How long does it wait?", "a timeout in seconds", "seconds"),
        ("How many bytes fit?", "given as a number of bytes", "number of bytes"),
        ("default timeout of lampd", "in units of minutes", "units of minutes"),
    ],
)
def test_a_unit_alone_does_not_say_how_much(question: str, text: str, words: str) -> None:
    assert not is_answer(mark(text, words), question)


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("In what unit is the delay given?", "given in seconds", "seconds"),
        ("Which currency do they use?", "they pay in crowns", "crowns"),
        ("Where did he finish?", "finished second", "second"),
    ],
)
def test_a_unit_alone_may_answer_another_question(question: str, text: str, words: str) -> None:
    assert is_answer(mark(text, words), question)


def test_a_default_is_no_option() -> None:
    text = "see --max-jobs for more"
    assert not is_answer(mark(text, "--max-jobs"), "default number of jobs")
    assert is_answer(mark(text, "--max-jobs"), "Which option bounds the number of jobs?")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3.50. retry_limit\n\nType: number", "3.50"),
        ("end of it.\n\n4.2 The lamp room\n\nIt is dark.", "4.2"),
        ("compat . . . . 29\n5.2 limits . . . . 31", "29\n5.2"),
    ],
)
def test_the_number_of_a_heading_is_no_answer(text: str, words: str) -> None:
    assert not is_answer(mark(text, words), "What is the retry limit?")


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("Since which version is it there?", "3.50. retry_limit\n\nNew", "3.50"),
        ("How far is the quay?", "the quay is\n3.50 miles from the church, by road.", "3.50"),
        ("What address is it?", "127.0.0.1 localhost", "127.0.0.1"),
    ],
)
def test_other_numbers_with_dots_may_be_answers(question: str, text: str, words: str) -> None:
    assert is_answer(mark(text, words), question)
