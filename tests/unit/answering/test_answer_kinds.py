"""The kind of words that a question wants."""

from __future__ import annotations

import pytest

from opendpr.answering.answer_kinds import agreement, asks_for_amount


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How often is the lamp trimmed?", "every two hours"),
        ("default lamp_timeout", "30"),
        ("lamp_timeout default", "30 s"),
        ("lampd port", "4190"),
        ("Which TCP port does lampd use?", "port 4190"),
        ("Which RFC describes it?", "RFC 1014"),
        ("Since which version is it there?", "3.6"),
        ("What exit status does it end with?", "2"),
        ("release date of lampd 2", "4 May 2011"),
        ("max lamps lit", "12"),
        ("Which environment variable sets the folder?", "LAMP_HOME"),
        ("env var for config dir", "`LAMP_HOME`"),
        ("Which option lights all lamps?", "--all"),
        ("flag to light all lamps", "-a N"),
    ],
)
def test_an_answer_is_of_the_kind_that_is_wanted(question: str, answer: str) -> None:
    assert agreement(question, answer) == 1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How often is the lamp trimmed?", "by the keeper"),
        ("lamp_timeout default", "the keeper"),
        ("lampd port", "TCP"),
        ("What exit status does it end with?", "not writable"),
        ("env var for config dir", "the folder of the lamps"),
        ("Which option lights all lamps?", "lights all of them"),
        ("How long may a line be, in bytes?", "half a second"),
        ("How many seconds does it ring?", "12 metres"),
        ("How often is the lamp trimmed?", "often"),
        ("What is the limit of the lamp room?", "the lamp room"),
    ],
)
def test_an_answer_is_not_of_the_kind_that_is_wanted(question: str, answer: str) -> None:
    assert agreement(question, answer) == -1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Is the lamp red or blue?", "blue"),
        ("Which country has the largest port of the north?", "Norway"),
        ("What does exit status 9 mean?", "the lock is held"),
    ],
)
def test_a_question_may_not_say_what_it_wants(question: str, answer: str) -> None:
    assert agreement(question, answer) >= 0


def test_a_question_may_want_an_amount() -> None:
    assert asks_for_amount("How long does it wait?")
    assert asks_for_amount("default timeout")
    assert not asks_for_amount("Who waits?")


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("How often should the rail be greased?", "every", -1),
        ("How often should the rail be greased?", "every six months", 1),
        ("When was it built?", "1888", 1),
        ("when the pier was built", "1888", 1),
        ("the pier was built when", "Anna", -1),
        ("In which year, and when exactly, was it built?", "1888", 1),
        ("What signal do older processes get when a new one is started?", "SIGTERM", 0),
        ("When the server starts, which file is read first?", "/etc/motd", 0),
        ("Who was king when the pier was built?", "Harald", 1),
        ("After the storm, when was the pier built again?", "Anna", -1),
        ("do you know when it was built", "Anna", -1),
        ("Who ruled England at the time when Columbus sailed?", "Henry VII", 1),
        ("Which team won the year when Pele retired?", "Santos", 0),
        ("What did Newton say when he saw the apple fall?", "nothing", 0),
        ("Where was it when it sank?", "Tolka", 1),
        ("fortune of Anna Lind when she married", "seven thousand pounds", 0),
        ("What EDNS buffer size does it advertise?", "maximum", -1),
        ("What EDNS buffer size does it advertise?", "1232", 1),
    ],
)
def test_a_kind_is_asked_for_by_the_questions_own_word(question: str, answer: str, expected: int) -> None:
    assert agreement(question, answer) == expected
