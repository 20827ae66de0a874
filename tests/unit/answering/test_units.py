"""Numbers keep their units, and units say what is measured."""

from __future__ import annotations

import pytest

from marked import mark
from opendpr.answering.units import asked_dimensions, is_unit_alone, measured_dimensions, with_unit


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("The maximum size is 281 terabytes.", "281", "281 terabytes"),
        ("waits five seconds before", "five", "five seconds"),
        ("lasts seventy minutes at", "seventy", "seventy minutes"),
        ("at -41.5 °C in May", "-41.5", "-41.5 °C"),
        ("a rate of 5 % a year", "5", "5 %"),
        ("cost 3 million dollars to", "3", "3 million dollars"),
        ("a timeout of 30s.", "30s", "30s"),
        ("after 20 ms, at most", "20", "20 ms"),
        ("uses 64KB of memory", "64", "64KB"),
        ("is 100 µm thick", "100", "100 µm"),
        ("a resistor of 47 kΩ", "47", "47 kΩ"),
        ("tightened to 8 N·m (", "8", "8 N·m"),
        ("falls with 9.81 m/s², as", "9.81", "9.81 m/s²"),
        ("at 80 km·h⁻¹ it", "80", "80 km·h⁻¹"),
        ("has 12 mg/dL of", "12", "12 mg/dL"),
        ("adds ½ litre of", "½", "½ litre"),
        ("a noise of 70 dB(A).", "70", "70 dB(A)"),
        ("has 5 bar.", "5", "5 bar"),
        ("cost 500 SEK then", "500", "500 SEK"),
        ("in 1984\nmol", "1984", "1984"),
        ("in 1984 A new", "1984", "1984"),
        ("5 and/or 6", "5", "5"),
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


@pytest.mark.parametrize("text", ["seconds", "units of seconds", "in bytes", "a number of days", "(minutes)", "metres"])
def test_a_unit_without_a_number_is_alone(text: str) -> None:
    assert is_unit_alone(text)


@pytest.mark.parametrize("text", ["5 seconds", "three days", "the second largest", "64KB", "metres above the sea"])
def test_a_unit_with_more_is_not_alone(text: str) -> None:
    assert not is_unit_alone(text)


@pytest.mark.parametrize(
    ("question", "dimension"),
    [
        ("How long may a line be, in bytes?", "size"),
        ("default cache size in kb", "size"),
        ("How many seconds does the bell ring?", "time"),
        ("connection timeout default secs", "time"),
        ("How high is the tower in feet?", "length"),
        ("number of kilograms of salt in a barrel", "mass"),
    ],
)
def test_a_question_may_ask_in_a_unit(question: str, dimension: str) -> None:
    assert asked_dimensions(question) == {dimension}


@pytest.mark.parametrize(
    "question", ["Who came second?", "How long is the longest river in us", "How many lamps are there in May?"]
)
def test_other_questions_ask_in_no_unit(question: str) -> None:
    assert not asked_dimensions(question)


def test_an_answer_measures_what_its_units_say() -> None:
    assert measured_dimensions("half a second") == {"time"}
    assert measured_dimensions("about 4,096 bytes") == {"size"}
    assert not measured_dimensions("4096")
