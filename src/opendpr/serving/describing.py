"""The engine's results as the records that the service answers with."""

from __future__ import annotations

from opendpr.serving.engine import Found
from opendpr.serving.records import AnswerRecord, PassageRecord, SpanRecord, in_words
from opendpr.types import Answer, Hit, Span


def passage_records(found: Found, scores: dict[int, float]) -> list[PassageRecord]:
    """The passages of a question, best first.

    Args:
        scores: the reader's, by passage number, for those that it read
    """
    return [_passage(hit, found, scores.get(hit.passage.number)) for hit in found.hits]


def answer_record(answer: Answer, found: Found) -> AnswerRecord:
    """An answer with all the places where it occurs."""
    spans = [_span(span, found) for span in answer.spans]
    return AnswerRecord(answer.text, answer.confidence, in_words(answer.confidence), spans)


def _passage(hit: Hit, found: Found, score: float | None) -> PassageRecord:
    passage, layout = hit.passage, found.layouts[hit.passage.document_id]
    end = passage.start + len(passage.text)
    return PassageRecord(
        passage_id=found.ids[passage.number],
        document_id=passage.document_id,
        title=passage.title,
        text=passage.text,
        start=passage.start,
        end=end,
        start_utf16=layout.utf16(passage.start),
        end_utf16=layout.utf16(end),
        page=layout.page(passage.start),
        score=hit.score,
        parts=dict(hit.parts) if score is None else {**hit.parts, "reader": score},
    )


def _span(span: Span, found: Found) -> SpanRecord:
    passage, layout = span.hit.passage, found.layouts[span.hit.passage.document_id]
    return SpanRecord(
        passage_id=found.ids[passage.number],
        document_id=passage.document_id,
        title=passage.title,
        start=span.start,
        end=span.end,
        start_utf16=layout.utf16(span.start),
        end_utf16=layout.utf16(span.end),
        page=layout.page(span.start),
        text=span.text,
        passage_score=span.passage_score,
        span_score=span.span_score,
    )
