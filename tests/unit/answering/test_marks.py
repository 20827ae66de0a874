"""Signs at the ends of an answer."""

from __future__ import annotations

import pytest

from marked import mark
from opendpr.answering.marks import (
    with_brackets_in_pairs,
    with_whole_code,
    without_half_a_pair,
    without_pair,
    without_stray_marks,
)


@pytest.mark.parametrize(
    ("text", "words", "bare"),
    [
        ("The owner is **Halvard Lund**, who", "Halvard Lund**", "Halvard Lund"),
        ("The owner is **Halvard Lund**, who", "**Halvard Lund", "Halvard Lund"),
        ("The beer is *Black Tern*, a porter", "Black Tern*", "Black Tern"),
        ("by default `info`.", "info`", "info"),
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


@pytest.mark.parametrize(
    ("words", "bare"),
    [
        ("**Halvard Lund**", "Halvard Lund"),
        ("`git push`", "git push"),
        ("``git push``", "git push"),
        ("**_125_**", "125"),
        ("*Black Tern*", "Black Tern"),
        ("**one** and **two**", "**one** and **two**"),
        ("__init__", "__init__"),
        ("_private", "_private"),
        ("*.txt and *", "*.txt and *"),
    ],
)
def test_a_pair_of_marks_around_an_answer_is_left_out(words: str, bare: str) -> None:
    span = without_pair(mark(f"It is {words}.", words))
    assert span.text == bare
    assert f"It is {words}."[span.start - 100 : span.end - 100] == bare


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("kept for a while (default: 5d) unless", "5d) unless", "5d"),
        ("kept [at most 5 days] then", "5 days]", "5 days"),
        ("the Centre for Lamps (CFL), in Orvik", "Centre for Lamps (CFL", "Centre for Lamps (CFL)"),
        ("the Centre (in Orvik, by the sea) is", "Centre (in Orvik", "Centre"),
        ("see (1888) there", "(1888", "1888"),
        ("call print(x) now", "print(x)", "print(x)"),
        ("1) the keeper", "1) the keeper", "1) the keeper"),
        ("a (b) c", "(b) c", "(b) c"),
    ],
)
def test_brackets_are_kept_in_pairs(text: str, words: str, whole: str) -> None:
    span = with_brackets_in_pairs(mark(text, words))
    assert span.text == whole
    assert text[span.start - 100 : span.end - 100] == whole


@pytest.mark.parametrize(
    ("text", "words", "question", "whole"),
    [
        ("Held jobs: run `lampctl release --all`.", "run `lampctl", "release held jobs", "lampctl release --all"),
        ("Held jobs: run `lampctl release --all` once.", "release --all` once", "held jobs", "lampctl release --all"),
        ("type `make clean` first", "make", "Which command cleans the tree?", "make clean"),
        ("$ lampctl release --all\n", "lampctl", "How do I release held jobs?", "lampctl release --all"),
        ("set `port = 80` there", "80", "What is the port?", "80"),
        ("run `lampctl` daily", "run `lampctl` daily", "What should be done?", "run `lampctl` daily"),
        ("run lampctl", "run", "Which command is it?", "run"),
    ],
)
def test_code_is_not_cut_in_pieces(text: str, words: str, question: str, whole: str) -> None:
    span = with_whole_code(mark(text, words), question)
    assert span.text == whole
    assert text[span.start - 100 : span.end - 100] == whole


def test_marks_are_mended_one_after_the_other() -> None:
    text = "the status **_125_**) is that of the daemon"
    assert without_stray_marks(mark(text, "**_125_**) is")).text == "125"
