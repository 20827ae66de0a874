"""Examples of the report: a question, what was expected and what was given, and passages with both marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from opendpr.text.occurrences import Place

PASSAGE_CHARACTERS = 1_500
"""How much of a long passage is shown, around the first mark."""


@dataclass(frozen=True)
class ShownPassage:
    """A passage with what is marked in it, as offsets in its text."""

    rank: int
    id: str
    title: str
    text: str
    answers: Sequence[Place]
    given_place: Place | None = None
    """Where the answer given is; None in a passage that it was not taken from."""

    def pieces(self) -> Iterator[tuple[str, str]]:
        """The text in pieces, each with its marks: "answer", "given", both or "".

        A long text is cut around the first mark.
        """
        places = [*self.answers, *([self.given_place] if self.given_place else [])]
        first, last = self._window(places)
        edges = sorted({first, last, *(edge for place in places for edge in place if first < edge < last)})
        if first:
            yield "", "… "
        for start, end in pairwise(edges):
            answer = any(low <= start < high for low, high in self.answers)
            is_given = self.given_place is not None and self.given_place[0] <= start < self.given_place[1]
            marks = [name for name, holds in (("answer", answer), ("given", is_given)) if holds]
            yield " ".join(marks), self.text[start:end]
        if last < len(self.text):
            yield "", " …"

    def _window(self, places: Sequence[Place]) -> Place:
        if len(self.text) <= PASSAGE_CHARACTERS:
            return 0, len(self.text)
        at = self.given_place or min(places, default=(0, 0))
        first = max(0, min(at[0] - PASSAGE_CHARACTERS // 2, len(self.text) - PASSAGE_CHARACTERS))
        return first, first + PASSAGE_CHARACTERS


@dataclass(frozen=True)
class Example:
    """One question as a system answered it."""

    outcome: str
    system: str
    id: str
    question: str
    answers: Sequence[str]
    given_answer: str | None
    """None where nothing was read; empty where no answer was found."""
    confidence: float | None
    passages: Sequence[ShownPassage]
