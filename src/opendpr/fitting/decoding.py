"""Choosing the weights with which `answering/decoding.py` adds up an answer's scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from opendpr.answering.decoding import WORDING_FEATURES, Decoding
from opendpr.answering.question_words import Wording
from opendpr.answering.tidying import tidied
from opendpr.fitting.cases import Case, answered
from opendpr.fitting.figures import DecodingFigures
from opendpr.fitting.logistic import Choice, fit_choice
from opendpr.fitting.settings import TooFewAnswersError
from opendpr.text import exact_match
from opendpr.types import Question, Span
from opendpr.wording import counted

FEWEST_RIGHT_QUESTIONS = 30
"""Questions with a right span, without which no weights are fitted."""


class FittedDecoding(NamedTuple):
    """The weights with which the right spans are likeliest, and what they bring."""

    retrieval: Mapping[str, float]
    """The `retrieval` block of a model: what it had at the start, with the weights that were fitted."""
    figures: DecodingFigures


def fit_decoding(cases: Sequence[Case], retrieval: Mapping[str, float]) -> FittedDecoding:
    """Fit the weights with which an answer's scores are added up.

    Args:
        retrieval: the `retrieval` block of a model, to start from

    Raises:
        TooFewAnswersError: there are too few questions with a right span.
    """
    start = Decoding.from_weights(retrieval)
    choices = _choices(cases, start)
    if len(choices) < FEWEST_RIGHT_QUESTIONS:
        raise TooFewAnswersError(
            f"the answer of {counted(len(choices), 'question')} was found among the spans read, at least "
            f"{FEWEST_RIGHT_QUESTIONS} are needed; check that questions and collection belong together, or give more "
            "questions"
        )
    weights = fit_choice(
        choices, np.array([start.passage, start.span, start.retrieval, *[0.0] * len(WORDING_FEATURES)])
    )
    names = ("passage", "span", "reader", *WORDING_FEATURES)
    own = {name: float(f"{value:.4g}") for name, value in zip(names, weights.tolist(), strict=True)}
    fitted = {**retrieval, **own}
    after = _exact(cases, Decoding.from_weights(fitted))
    return FittedDecoding(fitted, DecodingFigures(len(choices), _exact(cases, start), after))


def _choices(cases: Sequence[Case], start: Decoding) -> list[Choice]:
    """What there is to choose from, for each question that has right spans and wrong ones."""
    choices = []
    for case in cases:
        verdicts: dict[str, bool] = {}
        spans, wording = tidied(case.spans, case.asked_question.text), Wording(case.asked_question)
        right = np.array([_is_right(case.question, span.text, verdicts) for span in spans], dtype=bool)
        if right.any() and not right.all():
            rows = [_row(span, start, wording) for span in spans]
            choices.append(Choice(np.array(rows), right))
    return choices


def _row(span: Span, decoding: Decoding, wording: Wording) -> list[float]:
    place = wording.place(span)
    return [span.passage_score, span.span_score, decoding.retrieved(span.hit), place.mismatch, place.near, place.names]


def _is_right(question: Question, text: str, verdicts: dict[str, bool]) -> bool:
    if text not in verdicts:
        verdicts[text] = bool(question.answers) and exact_match(text, question.answers, question.match)
    return verdicts[text]


def _exact(cases: Sequence[Case], decoding: Decoding) -> float:
    """Exact match of the best answer, over the questions with answers."""
    judged = [case for case in cases if case.question.answers and not case.removed]
    right = sum(answered(case, decoding) for case in judged)
    return round(right / max(1, len(judged)), 4)
