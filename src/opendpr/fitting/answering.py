"""Fitting what makes answers of passages and spans: lambda, the weights of decoding, confidence and threshold.

All of it is chosen on questions whose answers are known, and none of it changes a network: the collections of a
model stay valid.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from opendpr.answering.confidence import Confidence, features
from opendpr.answering.decoding import Decoding, candidates
from opendpr.collection import Collection
from opendpr.collection.writer import refuse_other_encoder
from opendpr.errors import InputError, UsageError
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, threshold_for
from opendpr.fitting.fitted import Fitted
from opendpr.fitting.hybrid import fit_lambda
from opendpr.fitting.logistic import Choice, fit_choice, fit_logistic
from opendpr.iteration import batched
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.protocols import Reader, Retriever
from opendpr.search.retrievers import Snapshot, make_retriever
from opendpr.text import AnswerMatcher, exact_match
from opendpr.types import Hit, Question, Span

logger = logging.getLogger(__name__)

QUESTIONS = 16
"""Read together."""
FURTHER = 4
"""Times k passages are retrieved for a question that is to be answered without those that hold its answer."""
FEWEST = 30
"""Right answers, and wrong ones, without which no confidence is fitted."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class AnsweringSettings:
    """Settings of `opendpr train answering`."""

    k: int = 20
    """Passages read for a question."""
    retrievers: Sequence[str] = ("hybrid",)
    """Whose confidence is fitted; the decoding weights are fitted for the first."""
    precision: float = 0.6
    """How often an answer is to be right where one is given: decides the threshold."""
    removed_share: float = 0.25
    """Share of the questions asked once more without any passage that holds their answer."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"k must be 1 or more, got {self.k}")
        for name, value in (("precision", self.precision), ("removed_share", self.removed_share)):
            if not 0 <= value <= 1:
                raise UsageError(f"{name} must lie in [0, 1], got {value}")


class Case(NamedTuple):
    """What was read for a question."""

    question: Question
    spans: list[Span]
    removed: bool
    """Whether the passages that hold its answer were kept from the reader."""


def fit_answering(
    collection: Collection,
    questions: Sequence[Question],
    model: Model,
    settings: AnsweringSettings,
    runtime: RuntimeSettings = RuntimeSettings(),
    on_progress: Progress = lambda what, done, total: None,
) -> Fitted:
    """Fit all that a model needs to answer from retrieved passages.

    Args:
        questions: with answers; one without is known to have none in the collection

    Raises:
        InputError: there are too few right or wrong answers to tell them apart.
        StateError: the model has no reader, or the collection was encoded by another.
    """
    reader = BertReader(model, runtime)
    snapshot = Snapshot(collection)
    encoder = BertEncoder(model, runtime) if set(settings.retrievers) - {"bm25"} else None
    fitted = Fitted(dict(model.retrieval))
    if encoder is not None:
        refuse_other_encoder(collection, model.fingerprint, model.name)
    if "hybrid" in settings.retrievers and encoder is not None:
        known = [question for question in questions if question.answers or question.document_ids]
        weight, ranks = fit_lambda(snapshot, encoder, known, lambda *of: on_progress("searching", *of))
        fitted.retrieval["lambda"] = weight
        fitted.figures["reciprocal rank by lambda"] = {f"{key:g}": round(value, 4) for key, value in ranks.items()}
    retrievers = make_retrievers(snapshot, encoder, settings.retrievers, fitted.retrieval.get("lambda", 1.0))
    cases = read_cases(questions, retrievers, reader, settings, on_progress)
    decoding = fit_decoding(cases[settings.retrievers[0]], Decoding.of(fitted.retrieval), fitted)
    for kind, of in cases.items():
        fitted.confidence[kind], fitted.figures[kind] = fit_confidence(of, decoding, settings.precision)
    return fitted


def make_retrievers(
    snapshot: Snapshot, encoder: BertEncoder | None, kinds: Sequence[str], weight: float
) -> dict[str, Retriever]:
    """Retrievers by kind, all over one snapshot; hybrid with this lambda."""
    return {
        kind: make_retriever(kind, snapshot.collection, encoder, snapshot, weight=weight)
        for kind in kinds
        if kind == "bm25" or encoder is not None
    }


def read_cases(
    questions: Sequence[Question],
    retrievers: Mapping[str, Retriever],
    reader: Reader,
    settings: AnsweringSettings,
    on_progress: Progress = lambda what, done, total: None,
) -> dict[str, list[Case]]:
    """For each retriever what was read; a passage that several found is read once."""
    drawn = np.random.default_rng(settings.seed).random(len(questions)) < settings.removed_share
    cases: dict[str, list[Case]] = {kind: [] for kind in retrievers}
    done = 0
    for some in batched(zip(questions, drawn.tolist(), strict=True), QUESTIONS):
        asked = [question for question, _ in some]
        depth = settings.k * FURTHER
        lists = {kind: of.retrieve([each.text for each in asked], depth) for kind, of in retrievers.items()}
        wanted = [_wanted(place, pair, lists, settings.k) for place, pair in enumerate(some)]
        unions = [list({hit.passage.number: hit for _, _, hits in of for hit in hits}.values()) for of in wanted]
        read = reader.read([question.text for question in asked], unions)
        for question, of, spans in zip(asked, wanted, read, strict=True):
            for kind, removed, hits in of:
                cases[kind].append(Case(question, _of(spans, hits), removed))
        done += len(some)
        on_progress("reading", done, len(questions))
    return cases


def _wanted(
    place: int, pair: tuple[Question, bool], lists: Mapping[str, list[list[Hit]]], k: int
) -> list[tuple[str, bool, list[Hit]]]:
    """Retriever, whether answers are removed, and the passages to read."""
    question, drawn = pair
    matcher = AnswerMatcher(question.answers, question.match)
    found = []
    for kind, of in lists.items():
        hits = of[place]
        found.append((kind, False, hits[:k]))
        if drawn and question.answers:
            gold = set(question.document_ids)
            without = [hit for hit in hits if hit.passage.document_id not in gold and not matcher(hit.passage.text)]
            found.append((kind, True, without[:k]))
    return found


def _of(spans: Sequence[Span], hits: Sequence[Hit]) -> list[Span]:
    """The spans of these passages, as this retriever found them."""
    own = {hit.passage.number: hit for hit in hits}
    return [replace(span, hit=own[span.hit.passage.number]) for span in spans if span.hit.passage.number in own]


def fit_decoding(cases: Sequence[Case], start: Decoding, fitted: Fitted) -> Decoding:
    """The weights with which the right spans are likeliest, put into `fitted`.

    Raises:
        InputError: no span is right.
    """
    choices = []
    for case in cases:
        verdicts: dict[str, bool] = {}
        right = np.array([_is_right(case.question, span.text, verdicts) for span in case.spans], dtype=bool)
        if right.any() and not right.all():
            rows = [[span.passage_score, span.span_score, start.retrieved(span.hit)] for span in case.spans]
            choices.append(Choice(np.array(rows), right))
    if len(choices) < FEWEST:
        raise InputError(
            f"the answer of {len(choices)} questions was found among the spans read, at least {FEWEST} are needed; "
            "check that questions and collection belong together, or give more questions"
        )
    weights = fit_choice(choices, np.array([start.passage, start.span, start.retrieval]))
    names = ("passage", "span", "reader")
    fitted.retrieval |= {name: float(f"{value:.4g}") for name, value in zip(names, weights.tolist(), strict=True)}
    decoding = Decoding.of(fitted.retrieval)
    fitted.figures["questions with a right span"] = len(choices)
    fitted.figures["exact match"] = {"before": _exact(cases, start), "after": _exact(cases, decoding)}
    return decoding


def _is_right(question: Question, text: str, verdicts: dict[str, bool]) -> bool:
    if text not in verdicts:
        verdicts[text] = bool(question.answers) and exact_match(text, question.answers, question.match)
    return verdicts[text]


def _exact(cases: Sequence[Case], decoding: Decoding) -> float:
    """Exact match of the best answer, over the questions with answers."""
    asked = [case for case in cases if case.question.answers and not case.removed]
    right = sum(answered(case, decoding) for case in asked)
    return round(right / max(1, len(asked)), 4)


def answered(case: Case, decoding: Decoding) -> bool:
    """Whether the best answer is one of those expected; of a question without any, none is."""
    found = candidates(case.spans, decoding)
    question = case.question
    return bool(found and question.answers) and exact_match(found[0].spans[0].text, question.answers, question.match)


def is_answerable(case: Case) -> bool:
    """Whether a passage that was read holds an answer."""
    matcher = AnswerMatcher(case.question.answers, case.question.match)
    passages = {span.hit.passage.number: span.hit.passage.text for span in case.spans}
    return bool(case.question.answers) and any(map(matcher, passages.values()))


def fit_confidence(
    cases: Sequence[Case], decoding: Decoding, precision: float
) -> tuple[dict[str, float], dict[str, Any]]:
    """What a model stores of a confidence, and its figures on these cases.

    Raises:
        InputError: there are too few right or wrong answers.
    """
    found = [(case, candidates(case.spans, decoding)) for case in cases if case.spans]
    rows = [features(of, decoding) for _, of in found]
    right = np.array([answered(case, decoding) for case, _ in found], dtype=bool)
    if min(right.sum(), (~right).sum()) < FEWEST:
        raise InputError(
            f"{right.sum()} answers are right and {(~right).sum()} wrong, at least {FEWEST} of each are needed to fit "
            "a confidence; give more questions"
        )
    names = list(rows[0])
    model = fit_logistic(np.array([[row[name] for name in names] for row in rows]), right)
    stored = {name: float(f"{value:.5g}") for name, value in zip(names, model.weights.tolist(), strict=True)}
    stored["bias"] = float(f"{model.bias:.5g}")
    confident = Confidence.of(stored)
    sure = np.array([confident(row) for row in rows])
    threshold = threshold_for(sure, right, precision)
    if threshold is None:
        logger.warning("no confidence has answers that are right %.0f %% of the time: none is refused", 100 * precision)
    stored["threshold"] = math.floor((threshold or 0.0) * 1e6) / 1e6
    given = sure >= stored["threshold"]
    answerable = np.array([is_answerable(case) for case, _ in found], dtype=bool)
    figures = {
        "answers": len(found),
        "right": int(right.sum()),
        "calibration error": round(expected_calibration_error(sure, right), 4),
        "AUROC right": round(area_under_roc(sure, right), 4),
        "AUROC answerable": round(area_under_roc(sure, answerable), 4) if not answerable.all() else None,
        "answered": round(float(given.mean()), 4),
        "precision": round(float(right[given].mean()), 4),
    }
    return stored, figures
