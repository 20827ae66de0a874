"""The engine's results as the records that the service answers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opendpr.answering.fields import answer_fields, hit_fields, span_fields
from opendpr.serving.loaded_collection import Retrieved
from opendpr.serving.places import Layout
from opendpr.serving.records import AnswerRecord, PassageRecord, SpanRecord, in_words
from opendpr.types import Answer, Hit, Span


def passage_records(retrieved: Retrieved, scores: dict[int, float]) -> list[PassageRecord]:
    """The passages of a question, best first.

    Args:
        scores: the reader's, by passage number, for those that it read
    """
    return [_passage(hit, retrieved, scores.get(hit.passage.number)) for hit in retrieved.hits]


def answer_record(answer: Answer, retrieved: Retrieved) -> AnswerRecord:
    """An answer with all the places where it occurs."""
    spans = [_span(span, retrieved) for span in answer.spans]
    return AnswerRecord(**answer_fields(answer), confidence_in_words=in_words(answer.confidence), spans=spans)


def _passage(hit: Hit, retrieved: Retrieved, score: float | None) -> PassageRecord:
    layout = retrieved.layouts[hit.passage.document_id]
    fields = hit_fields(hit, retrieved.ids[hit.passage.number], layout.outline)
    if score is not None:
        fields["parts"] |= {"reader": score}
    return PassageRecord(**fields, **_utf16(fields, layout))


def _span(span: Span, retrieved: Retrieved) -> SpanRecord:
    passage = span.hit.passage
    layout = retrieved.layouts[passage.document_id]
    fields = span_fields(span, retrieved.ids[passage.number], layout.outline)
    return SpanRecord(**fields, **_utf16(fields, layout))


def _utf16(fields: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """The offsets of a record as other programs count them."""
    return {"start_utf16": layout.utf16(fields["start"]), "end_utf16": layout.utf16(fields["end"])}
