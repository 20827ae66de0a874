"""The default that a question asks for, beside which a span is."""

from __future__ import annotations

import pytest

from marked import mark
from opendpr.answering.defaults import asks_for_default, to_default


@pytest.mark.parametrize(
    "question", ["default port", "What is the default of --jobs?", "How many by default?", "defualt level", "defaults"]
)
def test_a_question_may_ask_for_a_default(question: str) -> None:
    assert asks_for_default(question)


def test_other_questions_do_not() -> None:
    assert not asks_for_default("Who is the keeper?")
    assert not asks_for_default("How is a defect reported?")


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("  -t, --time int   Seconds to wait (default 10)", "--time int   Seconds to wait (default 10", "10"),
        ("  --time int   Seconds to wait (default: 10 s)", "int", "10"),
        ("The level of the log defaults to `warning`, says", "level of the log", "`warning`"),
        ("Where oil is kept; the default is /var/oil.", "Where oil is kept", "/var/oil"),
        ("Specifies:\n\nMost lamps lit at once.\n\nDefault value:\n\n128\n\nNotes:", "Most lamps lit at once", "128"),
        ("Syntax: LampLimit number\nDefault: LampLimit 8190\nStatus: Core", "LampLimit number", "8190"),
        ("- Default: **on**\n", "Default", "on"),
        ("Type:\nnumber of lamps\nDefault: 30\nMore", "number of lamps", "30"),
    ],
)
def test_the_stated_default_is_meant(text: str, words: str, value: str) -> None:
    span = to_default(mark(text, words), "What is the default?")
    assert span.text == value
    assert text[span.start - 100 : span.end - 100] == value


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("| `--max-jobs N` | 4 | jobs at once |", "N", "4"),
        ("| Option | Meaning | Default |\n|---|---|---|\n| `--lamps N` | lamps lit | 12 |", "--lamps N", "12"),
        ("| Name | Default | Meaning |\n|---|---|---|\n| a | 1 | x |\n| oil | cold | the oil |", "the oil", "cold"),
        ("LampTimeout seconds\t300\tsv\tE", "LampTimeout seconds", "300"),
        ("| `--colour` | off | whether lamps are coloured |", "--colour", "off"),
    ],
)
def test_the_cell_of_the_default_is_meant(text: str, words: str, value: str) -> None:
    assert to_default(mark(text, words), "What is the default?").text == value


@pytest.mark.parametrize(
    ("words", "bare"),
    [
        ("LampLimit 8190", "8190"),
        ("LAMP_TIMEOUT = 30 secs by default", "30 secs"),
        ("lamp-level: 3", "3"),
        ("30 seconds", "30 seconds"),
        ("level 3", "level 3"),
        ("off", "off"),
    ],
)
def test_a_value_stays_without_the_name_of_its_setting(words: str, bare: str) -> None:
    text = f"There is {words} (default 7)"
    assert to_default(mark(text, words), "default of it").text == bare


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The keeper is Odo; the lamps default to 3.", "Odo"),
        ("| `--jobs N` | how many jobs | 4 |", "N"),
        ("The default is the value of the lamp.", "value of the lamp"),
        ("Default:\nStatus: Core", "Default"),
        ("number of lamps\nDefault: ...\n", "number of lamps"),
        ("by default nothing is lit", "nothing is lit"),
    ],
)
def test_a_span_stays_where_no_default_is_stated_or_asked_for(text: str, words: str) -> None:
    question = "Who is the keeper?" if words == "Odo" else "What is the default?"
    assert to_default(mark(text, words), question).text == words


@pytest.mark.parametrize(
    "question", ["max lamps lit", "How many lamps are lit at once?", "number of lamps lit at once"]
)
def test_a_default_says_how_much(question: str) -> None:
    text = "Specifies:\n\nMost lamps lit together.\n\nDefault value:\n\n128\n\nNotes:"
    assert to_default(mark(text, "Most lamps lit together"), question).text == "128"


def test_a_number_stays_where_no_default_is_asked_for() -> None:
    text = "At most 12 lamps are lit (default 7)"
    assert to_default(mark(text, "12 lamps"), "How many lamps are lit at most?").text == "12 lamps"
    assert to_default(mark(text, "lamps"), "What is lit?").text == "lamps"
