"""Examples of the report: a question, what was expected and said, and the passages with both marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from opendpr.evaluation.page.markup import Markup, element, joined
from opendpr.text.marks import Place

CHARACTERS = 1_500
"""How much of a long passage is shown, around the first mark."""
ANSWERS = 8
"""Expected answers shown; of more the number is told."""


@dataclass(frozen=True)
class ShownPassage:
    """A passage with what is marked in it, as offsets in its text."""

    rank: int
    id: str
    title: str
    text: str
    answers: Sequence[Place]
    given: Place | None = None
    """Where the answer given stands; None in a passage that it was not taken from."""


@dataclass(frozen=True)
class Example:
    """One question as a system answered it."""

    outcome: str
    system: str
    id: str
    question: str
    answers: Sequence[str]
    given: str | None
    """None where nothing was read; empty where no answer was found."""
    confidence: float | None
    passages: Sequence[ShownPassage]


def examples_section(examples: Sequence[Example]) -> Markup | None:
    """All examples, by outcome in the order in which outcomes come; None without any."""
    if not examples:
        return None
    outcomes = list(dict.fromkeys(example.outcome for example in examples))
    legend = element(
        "p",
        ("Marked are ", element("mark", "expected answers", class_="answer"), ", "),
        (element("mark", "the words given", class_="given"), " and "),
        (element("mark", "words that are both", class_="answer given"), "."),
        class_="note",
    )
    blocks = [
        joined(
            element("h4", outcome),
            [_details(example, example is examples[0]) for example in examples if example.outcome == outcome],
        )
        for outcome in outcomes
    ]
    return joined(element("h3", "Examples"), legend, blocks)


def _details(example: Example, opened: bool) -> Markup:
    expected = [element("q", answer, dir="auto") for answer in example.answers[:ANSWERS]]
    more = len(example.answers) - ANSWERS
    facts = [
        (element("dt", "expected"), element("dd", _commas(expected), f" and {more} more" if more > 0 else None)),
    ]
    if example.given is not None:
        sure = f" with confidence {example.confidence:.2f}" if example.given and example.confidence is not None else ""
        given = element("q", example.given, dir="auto") if example.given else "no answer"
        facts.append((element("dt", "given"), element("dd", given, sure)))
    facts.append((element("dt", "question id"), element("dd", example.id, dir="auto")))
    return element(
        "details",
        element(
            "summary",
            element("span", example.question, class_="question", dir="auto"),
            " ",
            element("span", example.system, class_="system", dir="auto"),
        ),
        element("dl", facts, class_="facts"),
        [_passage(passage) for passage in example.passages],
        open=opened,
    )


def _commas(parts: Sequence[Markup]) -> list[Markup | str]:
    return [piece for part in parts for piece in (", ", part)][1:]


def _passage(passage: ShownPassage) -> Markup:
    told = [f"passage {passage.rank}"]
    told += ["the answer given is from here"] if passage.given else []
    told += ["holds an expected answer"] if passage.answers else []
    return element(
        "article",
        element(
            "p",
            element("strong", passage.title, dir="auto") if passage.title else None,
            " ",
            element("small", " · ".join(told), " · ", element("bdi", passage.id)),
        ),
        element("p", list(marked(passage)), dir="auto", class_="text"),
    )


def marked(passage: ShownPassage) -> Iterator[Markup | str]:
    """The text in pieces: what is marked as elements, the rest as text; a long text is cut around the first mark."""
    places = [*passage.answers, *([passage.given] if passage.given else [])]
    first, last = _window(passage, places)
    edges = sorted({first, last, *(edge for place in places for edge in place if first < edge < last)})
    yield "… " if first else ""
    for start, end in pairwise(edges):
        answer = any(low <= start < high for low, high in passage.answers)
        given = passage.given is not None and passage.given[0] <= start < passage.given[1]
        kinds = [name for name, holds in (("answer", answer), ("given", given)) if holds]
        piece = passage.text[start:end]
        yield element("mark", piece, class_=" ".join(kinds)) if kinds else piece
    yield " …" if last < len(passage.text) else ""


def _window(passage: ShownPassage, places: Sequence[Place]) -> Place:
    if len(passage.text) <= CHARACTERS:
        return 0, len(passage.text)
    at = passage.given or min(places, default=(0, 0))
    first = max(0, min(at[0] - CHARACTERS // 2, len(passage.text) - CHARACTERS))
    return first, first + CHARACTERS
