"""Examples of passages: who finds an answer, and what is shown of a passage."""

from __future__ import annotations

import pytest
from experiments.paper.examples import Searched, examples

from opendpr.types import Hit, Passage


def hit(text: str) -> Hit:
    return Hit(Passage(1, "pier", "The [Pier]", text, 0), 1.0)


RIGHT, WRONG = (
    hit("The pier of Orvik was built long ago by Anna Lind | and a crew of nine, says the book."),
    hit("Fish."),
)


def searched(bm25: list[Hit], dense: list[Hit]) -> Searched:
    return Searched({"question": "Who built it?", "answers": ["Anna Lind"]}, bm25, dense)


@pytest.mark.parametrize(
    ("bm25", "dense", "verdict"),
    [
        ([WRONG, RIGHT], [RIGHT, WRONG], "both"),
        ([RIGHT], [WRONG], "only bm25"),
        ([WRONG], [RIGHT], "only dense"),
        ([WRONG], [], "neither"),
    ],
)
def test_who_finds_an_answer(bm25: list[Hit], dense: list[Hit], verdict: str) -> None:
    assert searched(bm25, dense).verdict == verdict


def test_a_cell_shows_a_few_words_around_the_answer_and_ends_no_cell() -> None:
    assert searched([], []).cell(RIGHT) == (
        "The \\[Pier]: … Orvik was built long ago by **Anna Lind** \\| and a crew of nine, …"
    )
    assert searched([], []).cell(WRONG) == "The \\[Pier]: Fish. …"


def test_examples_are_those_that_one_alone_finds() -> None:
    page = "\n".join(examples("Piers", [searched([RIGHT], [RIGHT]), searched([WRONG], [RIGHT])], count=1))
    assert page.count("**Who built it?** (Anna Lind)") == 1
    assert "Dense retrieval alone finds an answer\n\n1 of 2 questions.\n" in page
    assert "BM25 alone finds an answer\n\n0 of 2 questions.\n" in page
