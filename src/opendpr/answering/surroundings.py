"""What the reader sees around a span, and the span cut differently there."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from opendpr.types import Span


class SpanInContext(NamedTuple):
    """A span in the text of its passage with the words beyond its borders."""

    text: str
    start: int
    """First character of the span in the text."""
    end: int
    """The character behind it."""

    @property
    def line(self) -> tuple[int, int]:
        """First character of the line that the span begins in, and the end of the line that it ends in."""
        last = self.text.find("\n", self.end)
        return self.text.rfind("\n", 0, self.start) + 1, last if last >= 0 else len(self.text)


def in_context(span: Span) -> SpanInContext:
    """A span with what is around it."""
    hit = span.hit
    first = len(hit.before) - hit.passage.start
    return SpanInContext(hit.before + hit.passage.text + hit.after, first + span.start, first + span.end)


def recut(span: Span, start: int, end: int) -> Span:
    """The span that covers [start, end) of the text that `in_context` gives, with the same scores."""
    first = span.hit.passage.start - len(span.hit.before)
    return replace(span, start=first + start, end=first + end, text=in_context(span).text[start:end])
