"""Borders that no answer crosses, and the sentence around an answer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendpr.text.blocks import SENTENCE_CHARACTERS, borders, sentence_around


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Reserved.\n\n65534", ["Reserved.\n\n", "65534"]),
        ("one line\nand its next", ["one line\nand its next"]),
        ("name\tport\nftp\t21", ["name\t", "port\nftp\t", "21"]),
        ("| name | port |\n| ftp | 21 |", ["|", " name |", " port |", "\n|", " ftp |", " 21 |"]),
        ("run `ps | less`", ["run `ps | less`"]),
        ("Buy:\n- milk\n* eggs\n2. bread", ["Buy:\n", "- milk\n", "* eggs\n", "2. bread"]),
        ("on 3.\n- 41", ["on 3.\n", "- 41"]),
        ("a range of\n-41 to 3", ["a range of\n-41 to 3"]),
    ],
)
def test_a_border_is_at_blank_lines_table_cells_and_list_items(text: str, parts: list[str]) -> None:
    places = [0, *borders(text), len(text)]
    assert [text[a:b] for a, b in pairwise(places)] == parts


@pytest.mark.parametrize(
    ("text", "answer", "sentence"),
    [
        ("It is old. Mr. Berg sold it in 1888. Then it fell.", "1888", "Mr. Berg sold it in 1888."),
        ("He came to St. Louis, in the U.S. in 1904! Why?", "1904", "He came to St. Louis, in the U.S. in 1904!"),
        ("Ports\n\n- ftp uses 21 for control\n- ssh uses 22", "21", "- ftp uses 21 for control"),
        ("| ftp | 21 |\n| ssh | 22 |", "22", "22"),
        ("version 3.1 is out", "3.1", "version 3.1 is out"),
        ("One. Two three. Four. Five.", "three. Four", "Two three. Four."),
        ("1874", "1874", "1874"),
    ],
)
def test_the_sentence_around_an_answer(text: str, answer: str, sentence: str) -> None:
    start = text.index(answer)
    first, last = sentence_around(text, start, start + len(answer))
    assert text[first:last] == sentence


def test_a_text_without_sentences_is_cut_around_the_answer_at_spaces() -> None:
    text = "word " * 200 + "answer" + " word" * 200
    first, last = sentence_around(text, 1000, 1006)
    assert last - first <= SENTENCE_CHARACTERS
    assert set(text[first:last].split()) == {"word", "answer"}


@given(st.text("ab. \n\t|-1A!?", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_the_answer_always_lies_in_its_sentence(text: str, a: int, b: int) -> None:
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    first, last = sentence_around(text, start, end)
    assert 0 <= first <= start <= end <= last <= len(text)
