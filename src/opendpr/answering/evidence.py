"""Which of the places with the same words speak for them: each document and each text once, and no running headers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from opendpr.answering.surroundings import in_context
from opendpr.text.blocks import sentence_around
from opendpr.text.copies import folded
from opendpr.types import Span

COPIED_WORDS = 6
"""A sentence with fewer may be the same by chance."""
REPEATED_PASSAGES = 3
"""A line that is in this many of the passages read is a header or navigation."""
LONGEST_HEADING_CHARACTERS = 200
"""A longer line is no heading."""
AGREEING_PLACES = 3
"""More places than these say no more: a fact that is repeated often is not surer for it."""


def repeated_lines(spans: Sequence[Span]) -> frozenset[str]:
    """The lines that many of the passages of a question share; copies of a passage count as one."""
    texts = {span.hit.passage.text for span in spans}
    lines = Counter(line for text in texts if "\n" in text for line in set(map(_folded, text.split("\n"))))
    return frozenset(line for line, count in lines.items() if line and count >= REPEATED_PASSAGES)


def is_heading(span: Span, repeated: Collection[str]) -> bool:
    """Whether a place is in a line that many passages share, or that says no more than its document's title."""
    passage = span.hit.passage
    start, end = span.start - passage.start, span.end - passage.start
    first = passage.text.rfind("\n", 0, start) + 1
    last = passage.text.find("\n", end)
    line = passage.text[first : last if last >= 0 else len(passage.text)]
    return len(line) <= LONGEST_HEADING_CHARACTERS and (
        (line := _folded(line)) in repeated or line in _folded(passage.title)
    )


def _folded(line: str) -> str:
    """A line without what differs between its copies."""
    return " ".join(line.lower().split())


def _statement(span: Span) -> str:
    """The sentence of a place, as its copies have it too; empty if it is too short to be one."""
    text, start, end = in_context(span)
    if end > len(text):  # of a hit without the words beyond its borders that it was read with
        return ""
    first, last = sentence_around(text, start, end)
    words = folded(text[first:last])
    return words if len(words.split()) >= COPIED_WORDS else ""


def independent(spans: Sequence[Span], repeated: Collection[str]) -> list[int]:
    """The numbers of the places that count, best first.

    Of several in one document, in passages that are copies, and in the same sentence wherever it is copied or quoted,
    the best counts; so it is with all headings together.

    Args:
        spans: places with the same words, best first
        repeated: from `repeated_lines`
    """
    if len(spans) == 1:
        return [0]
    seen_keys: set[object] = set()
    counted: list[int] = []
    for number, span in enumerate(spans):
        passage = span.hit.passage
        keys: set[object] = {("document", passage.document_id), ("text", folded(passage.text))}
        if said := _statement(span):
            keys.add(("sentence", said))
        if is_heading(span, repeated):
            keys.add("heading")
        if not keys & seen_keys:
            counted.append(number)
        seen_keys |= keys
    return counted[:AGREEING_PLACES]
