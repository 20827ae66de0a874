"""Questions to begin with, out of the titles and headings of a few documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opendpr.text.places import Outline

EXAMPLES = 4
SHORTEST_CHARACTERS, LONGEST_CHARACTERS = 4, 60
"""Lengths of a heading that makes a good example."""
QUESTION_LEAST_WORDS = 4
"""A shorter heading, as `What is it?`, asks nothing without those above it."""


def example_questions(outlines: Iterable[Outline]) -> list[str]:
    """At most one question for each document; those whose words ask something already come first.

    >>> example_questions([Outline("Harbour of Orvik"), Outline("How to moor")])
    ['How to moor?', 'What is said about “Harbour of Orvik”?']
    """
    first: dict[str, None] = {}
    later: dict[str, None] = {}
    for outline in outlines:
        asking, naming = _questions(outline)
        if asking:
            first[asking] = None
        elif naming:
            later[naming] = None
    return [*first, *later][:EXAMPLES]


def _questions(outline: Outline) -> tuple[str, str]:
    """A question in the document's own words, and one about its title; empty if there is none."""
    names = list(_names(outline))
    asking = next((name for name in names if _asks(name)), "")
    naming = f"What is said about “{names[0]}”?" if names else ""
    return asking and f"{asking.rstrip('?')}?", naming


def _asks(name: str) -> bool:
    return name.lower().startswith("how to ") or (name.endswith("?") and len(name.split()) >= QUESTION_LEAST_WORDS)


def _names(outline: Outline) -> Iterator[str]:
    for name in (outline.title, *(section.heading for section in outline.sections)):
        if SHORTEST_CHARACTERS <= len(name) <= LONGEST_CHARACTERS and name.isprintable():
            yield name
