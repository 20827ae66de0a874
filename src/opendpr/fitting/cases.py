"""What a model reads for questions with known answers: the material that decoding and confidence are fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.answering.asked_question import UNKNOWN_QUESTION, AskedQuestion
from opendpr.answering.decoding import Decoding, candidates
from opendpr.fitting.settings import AnsweringSettings
from opendpr.iteration import OnStage, batched
from opendpr.protocols import Reader, Retriever
from opendpr.text import AnswerMatcher, exact_match
from opendpr.types import Hit, Question, Span

CASE_QUESTIONS = 16
"""Questions read together."""
FURTHER_DEPTH = 4
"""Times k passages are retrieved for a question that is to be answered without those that hold its answer."""

Ask = Callable[[str, str], AskedQuestion]
"""What decoding needs to know of a question, for a retriever by its name."""


class Case(NamedTuple):
    """What was read for a question."""

    question: Question
    spans: list[Span]
    removed: bool
    """Whether the passages that hold its answer were kept from the reader."""
    asked_question: AskedQuestion = UNKNOWN_QUESTION
    set: str = ""
    """Name of the question file it comes from."""


def read_cases(
    questions: Sequence[Question],
    retrievers: Mapping[str, Retriever],
    reader: Reader,
    *,
    settings: AnsweringSettings,
    on_progress: OnStage = lambda what, done, total: None,
    ask: Ask = lambda question, retriever: AskedQuestion(question),
) -> dict[str, list[Case]]:
    """What was read for each retriever; a passage that several retrievers found is read once."""
    drawn = drawn_for_removal(len(questions), settings)
    cases: dict[str, list[Case]] = {kind: [] for kind in retrievers}
    done = 0
    for batch in batched(zip(questions, drawn.tolist(), strict=True), CASE_QUESTIONS):
        depth = settings.k * FURTHER_DEPTH
        texts = [question.text for question, _ in batch]
        lists = {kind: retriever.retrieve(texts, depth) for kind, retriever in retrievers.items()}
        wanted = [_wanted(place, pair, lists, settings.k) for place, pair in enumerate(batch)]
        unions = [list({hit.passage.number: hit for _, _, hits in lots for hit in hits}.values()) for lots in wanted]
        read = reader.read(texts, unions)
        for (question, _), lots, spans in zip(batch, wanted, read, strict=True):
            for kind, removed, hits in lots:
                cases[kind].append(Case(question, _spans_of(spans, hits), removed, ask(question.text, kind)))
        done += len(batch)
        on_progress("reading", done, len(questions))
    return cases


def drawn_for_removal(questions: int, settings: AnsweringSettings) -> NDArray[np.bool_]:
    """(questions,): whether a question with answers is asked again without the passages that hold one."""
    return np.random.default_rng(settings.seed).random(questions) < settings.removed_share


def count_cases(questions: Sequence[Question], settings: AnsweringSettings) -> int:
    """How many cases `read_cases` makes of questions for each retriever."""
    again = np.array([bool(question.answers) for question in questions], dtype=bool)
    return len(questions) + int((again & drawn_for_removal(len(questions), settings)).sum())


def _wanted(
    place: int, pair: tuple[Question, bool], lists: Mapping[str, list[list[Hit]]], k: int
) -> list[tuple[str, bool, list[Hit]]]:
    """Retriever, whether answers are removed, and the passages to read."""
    question, drawn = pair
    matcher = AnswerMatcher(question.answers, question.match)
    lots = []
    for kind, retrieved in lists.items():
        hits = retrieved[place]
        lots.append((kind, False, hits[:k]))
        if drawn and question.answers:
            gold = set(question.document_ids)
            without = [hit for hit in hits if hit.passage.document_id not in gold and not matcher(hit.passage.text)]
            lots.append((kind, True, without[:k]))
    return lots


def _spans_of(spans: Sequence[Span], hits: Sequence[Hit]) -> list[Span]:
    """The spans of these passages, as this retriever found them, with what was read beyond their borders."""
    own = {hit.passage.number: hit for hit in hits}
    return [
        replace(span, hit=replace(own[span.hit.passage.number], **_seen_around(span.hit)))
        for span in spans
        if span.hit.passage.number in own
    ]


def _seen_around(hit: Hit) -> dict[str, Any]:
    """What was read beside a passage."""
    return {"before": hit.before, "after": hit.after, "column_names": hit.column_names}


def answered(case: Case, decoding: Decoding) -> bool:
    """Whether the best answer is one of those expected; of a question without any, none is."""
    answers = candidates(case.spans, decoding, case.asked_question)
    question = case.question
    return bool(answers and question.answers) and exact_match(
        answers[0].spans[0].text, question.answers, question.match
    )


def is_answerable(case: Case) -> bool:
    """Whether a passage that was read holds an answer."""
    matcher = AnswerMatcher(case.question.answers, case.question.match)
    passages = {span.hit.passage.number: span.hit.passage.text for span in case.spans}
    return bool(case.question.answers) and any(map(matcher, passages.values()))
