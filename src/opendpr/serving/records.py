"""What the service answers with: one dataclass for each JSON object, for the server and for `opendpr.serving.client`.

Offsets `start` and `end` count Unicode code points of the document's text, as Python does; `start_utf16` and
`end_utf16` count UTF-16 code units, as JavaScript, Java and C# do. `page` is that of a PDF, from 1;
`anchor` is what a link to the place names after `#`: a section, or `page=7` of a PDF.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from opendpr.choices import MOST_SERVED_PASSAGES, QUESTION_CHARACTERS, WHERE_CHARACTERS

JobKind: TypeAlias = Literal["put", "remove", "improve", "apply", "undo"]
"""Documents are put or removed; a model is made of judged questions, is used from now on, or is not any more."""


@dataclass(frozen=True)
class PassageRecord:
    """A passage that was found. `parts` holds the scores it is made of: `dense`, `bm25`, and `reader` once read."""

    passage_id: str
    document_id: str
    title: str
    text: str
    start: int
    end: int
    start_utf16: int
    end_utf16: int
    page: int | None
    anchor: str | None
    score: float
    parts: dict[str, float]
    copies: list[str]
    """Documents that hold the same text; it takes one place among the passages."""


@dataclass(frozen=True)
class SpanRecord:
    """A place where an answer occurs. Its passage is the one of this `passage_id` in `passages`."""

    passage_id: str
    document_id: str
    title: str
    start: int
    end: int
    start_utf16: int
    end_utf16: int
    page: int | None
    anchor: str | None
    text: str
    passage_score: float
    span_score: float


@dataclass(frozen=True)
class AnswerRecord:
    """The same words found at one or several places, best place first; or a sentence where none were likely."""

    text: str
    kind: Literal["span", "sentence"]
    confidence: float
    confidence_means: str
    """What the confidence is the probability of; a sentence's is that the answer is in it, not that it is one."""
    confidence_in_words: str
    spans: list[SpanRecord]


@dataclass(frozen=True)
class SearchRecord:
    """What a search found, best first."""

    question: str
    retriever: str
    collection_version: int
    passages: list[PassageRecord]
    missing: list[str] = field(default_factory=list)
    """Servers of an engine, or members of a set, that were not there: their passages cannot be among these."""


@dataclass(frozen=True)
class AskRecord:
    """What came of a question: answers, best first, possibly none, and the passages that were found.

    Those that were not read, as the first left no doubt, have no `reader` in their `parts`.
    """

    question: str
    retriever: str
    collection_version: int
    answerable: bool
    answers: list[AnswerRecord]
    passages: list[PassageRecord]
    missing: list[str] = field(default_factory=list)
    """As in a search."""


@dataclass(frozen=True)
class SummaryRecord:
    """One document in a list."""

    id: str
    title: str
    passages: int
    characters: int


@dataclass(frozen=True)
class DocumentsRecord:
    """Some of the documents, in order of id; `next` continues the list, null at its end."""

    documents: list[SummaryRecord]
    next: str | None
    missing: list[str] = field(default_factory=list)
    """Members of a set that were not there: their documents cannot be among these."""


@dataclass(frozen=True)
class DocumentRecord:
    """The text of a document, or a part of it: characters `start` to `end` of `characters`."""

    id: str
    title: str
    metadata: dict[str, Any]
    characters: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class SkippedRecord:
    """Something in an uploaded file that did not become a document, or a whole file."""

    place: str
    reason: str


@dataclass
class JobRecord:
    """A change of the collection on its way."""

    id: str
    kind: JobKind
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    documents: dict[str, int] = field(default_factory=dict)
    """How many were added, replaced, relabelled, unchanged, removed."""
    passages_encoded: int = 0
    passages_to_encode: int = 0
    files: int = 0
    """How many files were uploaded."""
    files_read: int = 0
    skipped: list[SkippedRecord] = field(default_factory=list)
    error: str | None = None
    improvement: str = ""
    """Id of the improvement that is made, applied or undone."""
    stage: str = ""
    """What an improvement is at, as `judging before`."""
    stage_done: int = 0
    stage_total: int = 0
    """How much the stage has to do; 0 where that is not known."""


@dataclass(frozen=True)
class JudgementRecord:
    """What was said of the answer to a question."""

    id: str
    made: str
    """When, in UTC."""
    question: str
    verdict: Literal["right", "wrong", "better"]
    text: str
    """The words that are right, wrong or better; empty if "no answer found" was judged."""
    document_id: str | None
    start: int
    end: int


@dataclass(frozen=True)
class InfoRecord:
    """What the collection holds and what this service takes."""

    opendpr: str
    collection: str
    collection_id: str
    collection_version: int
    documents: int
    passages: int
    passages_without_vector: int
    model: str
    fingerprint: str
    answers: bool
    """Whether the model has a reader, so that questions can be answered."""
    writable: bool
    retrievers: list[str]
    metadata_keys: list[str]
    """Names that a filter can ask for, beside `id` and `title`."""
    limits: dict[str, int]
    judgements: bool = False
    """Whether answers can be judged, by a token that may write where one is needed."""
    improvements: bool = False
    """Whether a better model can be made of the judgements, by such a token."""
    missing: list[str] = field(default_factory=list)
    """Members of a set that are not there: what they hold is not counted."""


@dataclass(frozen=True)
class HealthRecord:
    """Whether the process lives, or whether it can answer."""

    status: str


@dataclass(frozen=True)
class Problem:
    """Why a request failed (RFC 9457)."""

    title: str
    status: int
    detail: str
    request_id: str
    type: str = "about:blank"
    errors: list[dict[str, str]] = field(default_factory=list)
    """For a request of the wrong form: each place that is wrong, and what is wrong there."""


CONFIDENCE_WORDS = ((0.9, "very likely"), (0.7, "likely"), (0.4, "possible"), (0.0, "a guess"))
"""Lowest confidence of each description, highest first."""


def in_words(confidence: float) -> str:
    """A confidence as a person would say it."""
    return next((words for lowest, words in CONFIDENCE_WORDS if confidence >= lowest), CONFIDENCE_WORDS[-1][1])


REQUEST_LIMITS: Mapping[str, int] = {
    "body_bytes": 1_000_000,
    "question_characters": QUESTION_CHARACTERS,
    "where_characters": WHERE_CHARACTERS,
    "k": MOST_SERVED_PASSAGES,
    "documents_in_one_request": 256,
    "documents_in_one_list": 1_000,
    "words_characters": 200,
    "upload_bytes": 50_000_000,
    "files_in_one_upload": 100,
}
"""The most that a request may ask for."""
