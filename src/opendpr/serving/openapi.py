"""What the description of the API says beyond the routes: the form of a problem, and an example of each answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import opendpr
from opendpr.choices import RETRIEVERS
from opendpr.improving.questions import NO_BETTER
from opendpr.serving.events import EVENTS_TYPE
from opendpr.serving.improvement_records import DifferenceRecord, ImprovementRecord, ImprovementsRecord
from opendpr.serving.problems import PROBLEM_TYPE
from opendpr.serving.pydantic import problem_schema
from opendpr.serving.records import (
    REQUEST_LIMITS,
    AnswerRecord,
    AskRecord,
    DocumentRecord,
    DocumentsRecord,
    HealthRecord,
    InfoRecord,
    JobRecord,
    JudgementRecord,
    PassageRecord,
    Problem,
    SearchRecord,
    SkippedRecord,
    SpanRecord,
    SummaryRecord,
    in_words,
)
from opendpr.types import CONFIDENCE_MEANINGS

API_DESCRIPTION = "Passages and verbatim answers from a collection of documents."
PROBLEM_RESPONSE: dict[str, Any] = {
    "description": "Why it failed.",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
"""How the description tells that an operation may fail."""
SAID_BEFORE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": JudgementRecord, "description": "The same was said before, and is stored once."}
}
"""How the description tells that a judgement may be there already."""
QUESTION = "Who built the pier?"
TEXT = "The stone pier was built in 1874 by the engineer Marta Lindqvist."
TITLE = "The harbour of Orvik"
CONFIDENCE = 0.62
PASSAGE = PassageRecord(
    passage_id="harbour.md",
    document_id="harbour.md",
    title=TITLE,
    text=TEXT,
    start=0,
    end=len(TEXT),
    start_utf16=0,
    end_utf16=len(TEXT),
    page=None,
    anchor=None,
    score=21.4,
    parts={"dense": 0.71, "bm25": 7.2, "reader": -0.2},
    copies=[],
)
START, END = TEXT.index("Marta"), len(TEXT) - 1
SPAN = SpanRecord(
    passage_id="harbour.md",
    document_id="harbour.md",
    title=TITLE,
    start=START,
    end=END,
    start_utf16=START,
    end_utf16=END,
    page=None,
    anchor=None,
    text=TEXT[START:END],
    passage_score=-0.2,
    span_score=-0.3,
)
ANSWER = AnswerRecord(SPAN.text, "span", CONFIDENCE, CONFIDENCE_MEANINGS["span"], in_words(CONFIDENCE), [SPAN])
IMPROVEMENT = ImprovementRecord(
    "9c41d07be2f3",
    "done",
    "/home/me/notes-improved",
    before="opendpr-minilm",
    learned=29,
    apart=31,
    is_better=True,
    verdict="switch: after:hybrid is better than before:hybrid, EM@20 +12.9 (+3.2 to +25.8); squared error of the "
    "confidence \N{MINUS SIGN}0.031 (\N{MINUS SIGN}0.058 to \N{MINUS SIGN}0.006); on 31 questions kept apart",
    exact_match=DifferenceRecord(0.129, 0.032, 0.258),
    confidence_error=DifferenceRecord(-0.031, -0.058, -0.006),
    changes={
        "lambda": "9.5 -> 6",
        "confidence": "fitted",
        "encoder": "not trained: 29 questions to learn from, 100 examples are needed",
        "reader": "not trained: 29 questions to learn from, 500 examples are needed",
    },
    can_apply=True,
)
EXAMPLES: Mapping[str, object] = {
    type(record).__name__: asdict(record)
    for record in (
        AskRecord(QUESTION, "hybrid", 3, True, [ANSWER], [PASSAGE]),
        SearchRecord(QUESTION, "hybrid", 3, [PASSAGE]),
        DocumentsRecord([SummaryRecord("harbour.md", TITLE, 1, len(TEXT))], None),
        DocumentRecord("harbour.md", TITLE, {"year": 1931}, len(TEXT), 0, len(TEXT), TEXT),
        JobRecord(
            "6d1f0c2b9a7e4853", "put", "done", {"added": 1}, 1, 1, 2, 2, [SkippedRecord("photo.png", "binary file")]
        ),
        InfoRecord(
            opendpr=opendpr.__version__,
            collection="notes",
            collection_id="0f4c1f0a5d6b4d0e9a3c7b1e2f5a8d90",
            collection_version=3,
            documents=1,
            passages=1,
            passages_without_vector=0,
            model="opendpr-minilm",
            fingerprint="3b1f",
            answers=True,
            writable=True,
            retrievers=list(RETRIEVERS),
            metadata_keys=["year"],
            limits=dict(REQUEST_LIMITS),
            judgements=True,
            improvements=True,
        ),
        JudgementRecord(
            "3fa91b2c77d0", "2026-11-29T20:15:00+00:00", QUESTION, "right", SPAN.text, "harbour.md", START, END
        ),
        ImprovementsRecord(62, 30, 60, 29, 31, {NO_BETTER: 2}, "", IMPROVEMENT, is_judged_since=False, job=None),
        IMPROVEMENT,
        HealthRecord("ready"),
    )
}
"""An answer of each form, by the name of its schema."""
TEXT_EXAMPLES: Mapping[str, str] = {
    EVENTS_TYPE: 'data: {"id": "6d1f0c2b9a7e4853", "kind": "put", "state": "running", ...}\n\n'
    'data: {"id": "6d1f0c2b9a7e4853", "kind": "put", "state": "done", ...}\n\n',
    "text/plain": "# HELP opendpr_waiting_jobs Changes of the collection that wait.\n"
    "# TYPE opendpr_waiting_jobs gauge\nopendpr_waiting_jobs 0.0\n",
}
"""An answer that is no JSON, by its type."""
PROBLEM = Problem(
    title="Unprocessable Entity",
    status=422,
    detail="the request is not of the form that /docs describes: body.k must be at most 1,000",
    request_id="1cf83ad6d05843c2",
    errors=[{"where": "body.k", "message": "must be at most 1,000"}],
)


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """The description with the form of a problem and an example of each answer."""
    schema["components"]["schemas"]["Problem"] = {**problem_schema(), "examples": [asdict(PROBLEM)]}
    for kind, content in _answers(schema):
        name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        if name in EXAMPLES:
            content["example"] = EXAMPLES[name]
        elif kind in TEXT_EXAMPLES:
            content["example"] = TEXT_EXAMPLES[kind]
    return schema


def _answers(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The type and the content of each answer."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                yield from response.get("content", {}).items()
