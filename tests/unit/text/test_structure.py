"""Passages that begin and end where a reader would cut."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendpr.text.splitting import Splitter

PARTS = ["a", "Word", "end.", "\n", "\n\n", "- ", "# ", "\t", "--x"]


def pieces(text: str, words: int) -> list[str]:
    spans = Splitter(words=words, unit="structure").split(text)
    assert [spans[0][0], spans[-1][1]] == [0, len(text)]
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    return [text[start:end] for start, end in spans]


def prose(sentences: int, seed: int = 0) -> str:
    generator = random.Random(seed)
    return " ".join("The " + "word " * generator.randrange(5, 25) + "end." for _ in range(sentences))


def test_passages_end_at_sentences_and_are_as_long_as_wanted_on_the_whole():
    cut_pieces = pieces(prose(400), 100)
    assert all(piece.strip().endswith("end.") for piece in cut_pieces)
    lengths = [len(piece.split()) for piece in cut_pieces[:-1]]
    assert 95 <= sum(lengths) / len(lengths) <= 105
    assert max(lengths) <= 140


def test_a_heading_stays_with_its_text():
    sections = [f"## Section {n}\n\n{prose(6, n)}" for n in range(20)]
    assert all(not piece.rstrip().split("\n")[-1].startswith("#") for piece in pieces("\n\n".join(sections), 100))


def test_the_name_of_an_option_stays_with_what_it_does():
    text = "\n".join(f"--option-{n}\nDoes the thing number {n} and some more, as long as it is on." for n in range(60))
    assert all(piece.startswith("--option") for piece in pieces(text, 100))


def test_rows_of_a_table_stay_whole():
    text = "\n".join(f"Berth {n}\t{n}.5 m\tNils Ek and {n} others of the town" for n in range(100))
    assert all(piece.startswith("Berth") for piece in pieces(text, 50))


@pytest.mark.parametrize("text", ["one", "one two", "x" * 5_000, "word " * 1_000, "漢" * 500])
def test_any_text_is_cut_without_gaps(text):
    assert "".join(pieces(text, 20)) == text


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from(["a", "Word", "end.", "\n", "\n\n", "- ", "# ", "\t", "--x"]), min_size=1),
    st.integers(1, 9),
)
def test_passages_cover_any_text_in_order(parts, words):
    text = " ".join(parts)
    spans = Splitter(words=words, unit="structure").split(text)
    assert "".join(text[start:end] for start, end in spans) == (text if text.split() else "")
    assert all(text[start:end].strip() for start, end in spans)
