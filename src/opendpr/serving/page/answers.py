"""The page of a question: the answer large, its place in the document, and the other passages with their scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opendpr.choices import DEFAULT_RETRIEVER, READ_PASSAGES, RETRIEVERS
from opendpr.serving.records import (
    REQUEST_LIMITS,
    AskRecord,
    InfoRecord,
    PassageRecord,
    SearchRecord,
    SpanRecord,
)
from opendpr.serving.rendering import render
from opendpr.wording import counted

K_CHOICES = (5, 10, 20, 50, 100)
"""Numbers of passages that the form offers."""
LEAST_CONFIDENCE = 0.01
"""Other answers less likely than this are not shown."""
OPEN_PASSAGES = 6
"""Passages shown at once; the others are one click away."""
KEYS_OF_FILES = frozenset(("path", "modified", "page_starts", "sections", "left_out", "menus_left_out"))
"""Metadata of every file, poor examples of a filter."""
LONG_ANSWER_CHARACTERS = 90
"""A longer answer is set smaller."""
RETRIEVER_NAMES = {"hybrid": "Hybrid", "dense": "Dense", "bm25": "BM25"}
SCORE_PARTS = {
    "dense": ("dense", "inner product of the vectors of question and passage"),
    "bm25": ("BM25", "how rare the words are that question and passage share"),
    "reader": ("reader", "how likely the reader finds this passage, of those read, to hold the answer"),
}
"""Name and meaning of each part of a passage's score."""


@dataclass(frozen=True)
class Form:
    """The values of the page's form."""

    q: str = ""
    retriever: str = DEFAULT_RETRIEVER
    k: int = READ_PASSAGES
    where: str = ""


def answers_page(
    form: Form, info: InfoRecord, result: AskRecord | SearchRecord | None, problem: tuple[str, str] | None = None
) -> str:
    """The whole page.

    Args:
        result: None shows the form alone
        problem: heading and text of an error, shown instead of a result
    """
    answers = result.answers if isinstance(result, AskRecord) and result.answerable else []
    first = answers[0].spans[0].passage_id if answers else None
    passages = result.passages if result else []
    return render(
        "ask.html.jinja",
        collection=info.collection,
        form=form,
        problem=problem,
        result=result if passages or isinstance(result, AskRecord) else None,
        answers=answers,
        other_answers=[answer for answer in answers[1:] if answer.confidence >= LEAST_CONFIDENCE],
        no_answer=_no_answer(result, form, info) if isinstance(result, AskRecord) else None,
        passages={passage.passage_id: passage for passage in passages},
        other_passages=[passage for passage in passages if passage.passage_id != first],
        spans=_first_spans(result) if isinstance(result, AskRecord) else {},
        scores=_scores,
        facts=_facts(info),
        example=_example(info.metadata_keys),
        k_choices=sorted({*K_CHOICES, form.k}),
        retrievers=RETRIEVERS,
        retriever_names=RETRIEVER_NAMES,
        limits=REQUEST_LIMITS,
        open_passages=OPEN_PASSAGES,
        long_characters=LONG_ANSWER_CHARACTERS,
    )


def _first_spans(result: AskRecord) -> dict[str, SpanRecord]:
    """The span to mark in each passage: that of the best answer found there."""
    spans: dict[str, SpanRecord] = {}
    for answer in result.answers:
        for span in answer.spans:
            spans.setdefault(span.passage_id, span)
    return spans


def _scores(passage: PassageRecord) -> Iterator[tuple[str, str, float]]:
    """Name, meaning and value of each part of a passage's score."""
    for part, (name, meaning) in SCORE_PARTS.items():
        if part in passage.parts:
            value = passage.parts[part]
            yield name, meaning, math.exp(value) if part == "reader" else value


def _no_answer(result: AskRecord, form: Form, info: InfoRecord) -> str:
    if result.passages:
        return "None of the passages that were read answers the question."
    if form.where:
        names = ", ".join(["id", "title", *info.metadata_keys])
        return f"No passage was found. Names that the filter can ask for: {names}."
    return "No passage was found."


def _facts(info: InfoRecord) -> str:
    counts = f"{counted(info.documents, 'document')} in {counted(info.passages, 'passage')}"
    more = " Some passages are not encoded yet and are found by their words alone." * bool(info.passages_without_vector)
    text = (
        "The answer is a verbatim quotation, with its place in the document."
        if info.answers
        else "This model finds passages only."
    )
    return f"{counts}. {text}{more}"


def _example(keys: Sequence[str]) -> str:
    key = next((key for key in keys if key.isidentifier() and key not in KEYS_OF_FILES), "id")
    return f"{key} = '…'"
