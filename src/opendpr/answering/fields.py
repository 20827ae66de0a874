"""An outcome, a hit and a span as JSON: the one form that the command line prints and the service extends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opendpr.text.places import Outline
from opendpr.types import Answer, Hit, Outcome, Span


def hit_fields(hit: Hit, id: str, outline: Outline) -> dict[str, Any]:
    """A retrieved passage; offsets are code points of the document's text. `copies` are documents with the same text.

    Args:
        id: the passage's public id
        outline: of its document
    """
    passage = hit.passage
    return {
        "passage_id": id,
        "document_id": passage.document_id,
        "title": passage.title,
        "start": passage.start,
        "end": passage.start + len(passage.text),
        **place_fields(outline, passage.start),
        "text": passage.text,
        "score": hit.score,
        "parts": dict(hit.parts),
        "copies": list(dict.fromkeys(copy.document_id for copy in hit.copies)),
    }


def outcome_fields(outcome: Outcome, count: int, span: Callable[[Span], Any]) -> dict[str, Any]:
    """What came of a question: whether it is answerable, and at most `count` answers, best first.

    Args:
        span: makes the form of each place where an answer occurs, of `span_fields`
    """
    answers = [_answer_fields(answer, span) for answer in outcome.answers[:count]]
    return {"answerable": outcome.answerable, "answers": answers}


def _answer_fields(answer: Answer, span: Callable[[Span], Any]) -> dict[str, Any]:
    return {
        "text": answer.text,
        "kind": answer.kind,
        "confidence": answer.confidence,
        "confidence_means": answer.confidence_means,
        "spans": list(map(span, answer.spans)),
    }


def place_fields(outline: Outline, offset: int) -> dict[str, Any]:
    """Where a link to a place leads: the page of a PDF from 1, and what comes after `#`; null without such."""
    return {"page": outline.page(offset), "anchor": outline.anchor(offset)}


def span_fields(span: Span, id: str, outline: Outline) -> dict[str, Any]:
    """The words of an answer at one place, without their passage; offsets as in `hit_fields`.

    The title has the headings above these words; that of the passage, those above most of it.

    Args:
        id: the public id of the passage
        outline: of its document
    """
    passage = span.hit.passage
    return {
        "passage_id": id,
        "document_id": passage.document_id,
        "title": outline.title_at(span.start) or passage.title,
        "start": span.start,
        "end": span.end,
        **place_fields(outline, span.start),
        "text": span.text,
        "passage_score": span.passage_score,
        "span_score": span.span_score,
    }


def missing_fields(missing: Sequence[str]) -> dict[str, Any]:
    """What a record says of servers that did not answer; nothing if all did."""
    return {"missing": list(missing)} if missing else {}
