"""What a language model is asked and what counts as its answer, by examples."""

from __future__ import annotations

import pytest
from experiments.paper.systems.closed_book import GeneratingSystem
from experiments.paper.systems.prompts import answer_of, prompt

from opendpr.types import Hit, Passage

PASSAGES = [
    Passage(1, "a", "Walls", "The walls\nwere built in 1888 .", 100),
    Passage(2, "b", "Towers", "Towers are older.", 0),
]


class OneList:
    """A retriever that finds the same passages for every question."""

    def retrieve(self, questions: list[str], k: int, where: str | None = None) -> list[list[Hit]]:
        return [[Hit(passage, 1.0) for passage in PASSAGES][:k] for _ in questions]


def test_the_prompt_of_a_closed_book_ends_with_the_question() -> None:
    text = prompt("When were\nthe walls built?")
    assert text.startswith("Answer each question with a name, a number or a few words.\n\nQuestion: who painted")
    assert text.endswith("\n\nQuestion: When were the walls built?\nAnswer:")


def test_passages_are_lines_of_the_prompt_with_their_titles() -> None:
    text = prompt("When?", PASSAGES)
    assert text.endswith(
        "\n\nWalls: The walls were built in 1888 .\nTowers: Towers are older.\nQuestion: When?\nAnswer:"
    )


@pytest.mark.parametrize(
    ("generated", "answer"),
    [
        (" 1888", "1888"),
        ("\n\n 1888.\nQuestion: who", "1888"),
        ("Answer: Marta Lind", "Marta Lind"),
        ('The answer is "Marta Lind".', "Marta Lind"),
        ("A: **Marta Lind**", "Marta Lind"),
        ("Washington, D.C.", "Washington, D.C"),  # the last full stop does not count in exact match
        ("  \n ", ""),
        ("", ""),
    ],
)
def test_the_answer_is_the_first_line_without_what_surrounds_it(generated: str, answer: str) -> None:
    assert answer_of(generated) == answer


def test_an_answer_that_a_passage_has_is_placed_there() -> None:
    (attempt,) = GeneratingSystem(lambda text: " 1888.\n", OneList(), 2).attempt(["When?"])
    (answer,) = attempt.outcome.answers
    (span,) = answer.spans
    assert (answer.text, span.text, span.hit.passage.number) == ("1888", "1888", 1)
    assert PASSAGES[0].text[span.start - 100 : span.end - 100] == "1888"


def test_an_answer_of_a_closed_book_has_no_place() -> None:
    (attempt,) = GeneratingSystem(lambda text: " 1888").attempt(["When?"])
    assert attempt.hits == []
    assert attempt.outcome.answers[0].spans == ()


def test_nothing_generated_is_no_answer() -> None:
    (attempt,) = GeneratingSystem(lambda text: " \n").attempt(["When?"])
    assert not attempt.outcome.answers
