"""Passages as the page shows them: in their form, at a place that a reader finds again, by document."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from opendpr.serving.page.blocks import Block, blocks
from opendpr.serving.records import PassageRecord, SpanRecord
from opendpr.serving.rendering import address
from opendpr.text.sections import PATH_SIGN

SCORE_PARTS = {
    "dense": ("dense", "inner product of the vectors of question and passage"),
    "bm25": ("BM25", "how rare the words are that question and passage share"),
    "reader": ("reader", "how likely the reader finds this passage, of those read, to hold the answer"),
}
"""Name and meaning of each part of a passage's score."""

LINED_SUFFIXES = frozenset(("", ".txt", ".text", ".log", ".md", ".markdown", ".rst", ".adoc", ".org", ".tex"))
"""Files whose text is theirs line by line."""
NOTHING_ASKED: Mapping[str, object] = MappingProxyType({})
Lines = Mapping[tuple[str, int], int]
"""Line numbers, from 1, by document id and offset."""


class Score(NamedTuple):
    """A part of a passage's score."""

    name: str
    meaning: str
    value: float


@dataclass(frozen=True)
class Shown:
    """A passage as it is shown."""

    record: PassageRecord
    blocks: list[Block]
    document: str
    """Title of its document, or the id."""
    headings: str
    """The headings above it; empty if there are none."""
    place: str
    """Page, line or anchor; empty if only the headings say where it is."""
    link: str
    """Address of the document's page, at this place."""
    scores: list[Score]

    @property
    def source(self) -> str:
        """Document, headings and place in one line."""
        return ", ".join(part for part in (self.document, self.headings, self.place) if part)


def shown(
    passage: PassageRecord,
    span: SpanRecord | None,
    lines: Lines,
    *,
    question_query: Mapping[str, object] = NOTHING_ASKED,
) -> Shown:
    """A passage, with the characters of a span marked.

    Args:
        question_query: the question, as the address of its page has it, for the way back to it
    """
    at = span or passage
    document, *headings = (at.title or passage.document_id).split(PATH_SIGN)
    marked = (0, 0)
    if span:  # a sentence may begin before the passage or end after it
        marked = (max(0, span.start - passage.start), min(len(passage.text), span.end - passage.start))
    return Shown(
        record=passage,
        blocks=blocks(passage.text, passage.document_id, marked),
        document=document,
        headings=" › ".join(headings),
        place=_place(at, lines),
        link=_link(passage, span, question_query),
        scores=list(_scores(passage)),
    )


def has_lines(document_id: str) -> bool:
    """Whether a line of the document's text is one of the file, by its name."""
    return PurePosixPath(document_id).suffix.lower() in LINED_SUFFIXES


def by_document(passages: Sequence[Shown]) -> list[list[Shown]]:
    """The passages of each document together, documents in the order of their best passages."""
    groups: dict[str, list[Shown]] = {}
    for passage in passages:
        groups.setdefault(passage.record.document_id, []).append(passage)
    return list(groups.values())


def _place(at: PassageRecord | SpanRecord, lines: Lines) -> str:
    if at.page:
        return f"page {at.page}"
    line = lines.get((at.document_id, at.start))
    if line:
        return f"line {line:,}"
    return f"#{at.anchor}" if at.anchor and PATH_SIGN not in at.title else ""


def _link(passage: PassageRecord, span: SpanRecord | None, question_query: Mapping[str, object]) -> str:
    place = {"from": passage.start, "to": passage.end, **question_query}
    if span is None:
        return address("/document", "#passage", id=passage.document_id, **place)
    return address("/document", "#answer", id=passage.document_id, start=span.start, end=span.end, **place)


def _scores(passage: PassageRecord) -> Iterator[Score]:
    for part, (name, meaning) in SCORE_PARTS.items():
        if part in passage.parts:
            value = passage.parts[part]
            yield Score(name, meaning, math.exp(value) if part == "reader" else value)
