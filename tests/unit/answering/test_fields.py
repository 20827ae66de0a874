"""One form of a hit and of a span, for the command line and for the service."""

from __future__ import annotations

from dataclasses import fields

from opendpr.answering.fields import hit_fields, outcome_fields, span_fields
from opendpr.serving.records import AnswerRecord, PassageRecord, SpanRecord
from opendpr.text.places import Outline
from opendpr.types import Answer, Hit, Outcome, Passage, Span

HIT = Hit(Passage(7, "walls", "The walls", "built in 1888", 100), 2.5, {"bm25": 2.5})
SPAN = Span(HIT, 109, 113, "1888", -0.5, -0.25)
OUTLINE = Outline("Walls", pages=[0, 90, 105])
OFFSETS_OF_OTHERS = {"start_utf16", "end_utf16"}


def test_a_hit_has_the_offsets_of_its_passage_in_the_document() -> None:
    assert hit_fields(HIT, "walls#100", OUTLINE) == {
        "passage_id": "walls#100", "document_id": "walls", "title": "The walls", "start": 100, "end": 113,
        "page": 2, "anchor": "page=2",
        "text": "built in 1888", "score": 2.5, "parts": {"bm25": 2.5}, "copies": [],
    }  # fmt: skip


def test_a_span_names_its_passage_and_has_the_offsets_of_its_own_words() -> None:
    assert span_fields(SPAN, "walls#100", OUTLINE) == {
        "passage_id": "walls#100", "document_id": "walls", "title": "Walls", "start": 109, "end": 113,
        "page": 3, "anchor": "page=3",
        "text": "1888", "passage_score": -0.5, "span_score": -0.25,
    }  # fmt: skip


def test_the_service_adds_only_places_as_others_count_them() -> None:
    assert {field.name for field in fields(PassageRecord)} == hit_fields(HIT, "", OUTLINE).keys() | OFFSETS_OF_OTHERS
    assert {field.name for field in fields(SpanRecord)} == span_fields(SPAN, "", OUTLINE).keys() | OFFSETS_OF_OTHERS


def test_every_confidence_says_what_it_is_a_probability_of() -> None:
    sentence = Answer("It was built in 1888.", 0.55, (SPAN,), "sentence")
    outcome = Outcome((sentence, Answer("1888", 0.3, (SPAN,))), answerable=False)
    offered, words = outcome_fields(outcome, 2, lambda span: span.text)["answers"]
    assert (offered["confidence"], offered["confidence_means"]) == (0.55, "the answer is in this sentence")
    assert (words["confidence"], words["confidence_means"]) == (0.3, "these words are the answer")
    assert {field.name for field in fields(AnswerRecord)} == words.keys() | {"confidence_in_words"}


def test_changing_the_fields_leaves_the_hit_as_it_was() -> None:
    hit_fields(HIT, "", OUTLINE)["parts"]["reader"] = 1.0
    assert HIT.parts == {"bm25": 2.5}
