"""The sentence to offer where no words are likely enough to be the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from opendpr.answering.surroundings import SpanInContext, in_context, recut
from opendpr.text.blocks import SENTENCE_CHARACTERS, sentence_around
from opendpr.types import Answer, Span

STATEMENT_WORDS = 4
"""Fewer words than these say nothing by themselves: a cell of a table, a label."""
_WORD = re.compile(r"\w+")


def nearest_sentence(answers: Sequence[Answer]) -> Answer:
    """The sentence that the likeliest answers have a place in; its confidence is theirs, added up.

    Args:
        answers: at least one, best first
    """
    sentences: dict[tuple[str, int, int], Span] = {}
    sure: dict[tuple[str, int, int], float] = {}
    for answer in answers:
        places = {(span.hit.passage.document_id, span.start, span.end): span for span in map(_sentence, answer.spans)}
        for place, span in places.items():
            sentences.setdefault(place, span)
            sure[place] = sure.get(place, 0.0) + answer.confidence
    best = max(sure, key=lambda place: sure[place])
    return Answer(sentences[best].text, min(1.0, sure[best]), (sentences[best],), "sentence")


def _sentence(span: Span) -> Span:
    """The sentence around a span, with its scores."""
    return recut(span, *statement_around(*in_context(span)))


def statement_around(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence that [start, end) lies in; below a heading the first one, and of a few words their whole line.

    >>> text = "## Log file\\n\\nErrors go to /var/log/tide.log. It is kept for a week."
    >>> text[slice(*statement_around(text, 3, 11))]
    'Errors go to /var/log/tide.log.'
    """
    line_start, line_end = SpanInContext(text, start, end).line
    line = text[line_start:line_end]
    whole_line = line_start + len(line) - len(line.lstrip()), line_start + len(line.rstrip())
    if line.startswith("#"):
        rest = text[whole_line[1] :]
        below = len(text) - len(rest.lstrip())
        return sentence_around(text, below, below + 1) if below < len(text) else whole_line
    first, last = sentence_around(text, start, end)
    is_said = len(_WORD.findall(text[first:last])) >= STATEMENT_WORDS
    return (first, last) if is_said or len(line) > SENTENCE_CHARACTERS else whole_line
