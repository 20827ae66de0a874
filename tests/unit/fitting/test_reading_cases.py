"""What is read for the questions of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opendpr.fitting.cases import read_cases
from opendpr.fitting.settings import AnsweringSettings
from opendpr.types import Hit, Passage, Question, Span

HIT = Hit(Passage(1, "wall", "The wall", "It was built in 1888 by E.", 100), 2.0)


class OneHit:
    """Finds the same passage for every question."""

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        return [[HIT] for _ in questions]


class BeyondTheBorder:
    """Marks words that end behind the passage."""

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        seen = [replace(hit, before="Old walls. ", after=" Smith") for [hit] in hits]
        return [[Span(hit, 124, 132, "E. Smith", 0.0, -1.0)] for hit in seen]


def test_words_beyond_the_borders_stay_with_what_was_read() -> None:
    question = Question("1", "Who built the wall?", ("E. Smith",))
    settings = AnsweringSettings(k=1, removed_share=0.0)
    [case] = read_cases([question], {"bm25": OneHit()}, BeyondTheBorder(), settings=settings)["bm25"]
    [span] = case.spans
    assert (span.hit.before, span.hit.after, span.hit.score) == ("Old walls. ", " Smith", 2.0)
