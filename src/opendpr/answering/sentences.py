"""The sentence to offer where no words are likely enough to be the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opendpr.text.blocks import sentence_around
from opendpr.types import Answer, Span


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
    hit = span.hit
    seen, offset = hit.before + hit.passage.text + hit.after, hit.passage.start - len(hit.before)
    first, last = sentence_around(seen, span.start - offset, span.end - offset)
    return replace(span, start=offset + first, end=offset + last, text=seen[first:last])
