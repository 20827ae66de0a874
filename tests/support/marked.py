"""Spans marked by hand in a text."""

from __future__ import annotations

from opendpr.types import Hit, Passage, Span


def mark(text: str, words: str, start: int = 100) -> Span:
    """The last place of words in a passage that begins at `start`."""
    first = start + text.rindex(words)
    return Span(Hit(Passage(1, "d", "", text, start), 1.0), first, first + len(words), words, 0.0, -1.0)
