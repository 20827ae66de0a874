"""Fitting the paper's lambda: what similarity counts beside BM25 in hybrid retrieval (section 5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opendpr.iteration import OnProgress, batched
from opendpr.model.encoder import BertEncoder
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import UNION_PASSAGES
from opendpr.search.snapshot import Snapshot
from opendpr.search.union import score_union
from opendpr.text import AnswerMatcher
from opendpr.types import Numbers, Passage, Question

RELATIVE_WEIGHTS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 8.0)
"""Weights tried, in the unit with which similarity and BM25 spread equally over the passages that are ranked."""
JUDGED_PASSAGES = 20
"""Passages scanned for a right one with each weight."""
FITTED_BATCH_QUESTIONS = 32
"""Questions searched for at once."""

Floats = NDArray[np.float64]


def fit_lambda(
    live: LiveSnapshot,
    encoder: BertEncoder,
    questions: Sequence[Question],
    on_progress: OnProgress = lambda done, total: None,
) -> tuple[float, dict[float, float]]:
    """The weight that brings a right passage up best, by mean reciprocal rank among the first 20.

    A passage is right if it holds an answer, and is of one of the question's documents where it names some.
    Searches are exact for every weight that is tried: the union of both lists is the same for all.

    Returns:
        The weight, and the mean reciprocal rank of each that was tried.
    """
    snapshot = live.load("hybrid")
    unions: list[tuple[Numbers, Floats, Floats]] = []
    for batch in batched(questions, FITTED_BATCH_QUESTIONS):
        unions += _unions(snapshot, encoder, [question.text for question in batch])
        on_progress(len(unions), len(questions))
    unit = _unit(unions)
    ranks = {weight: 0.0 for weight in (float(f"{unit * relative:.2g}") for relative in RELATIVE_WEIGHTS)}
    for question, (numbers, bm25, dense) in zip(questions, unions, strict=True):
        tops = {weight: numbers[np.lexsort((numbers, -(bm25 + weight * dense)))[:JUDGED_PASSAGES]] for weight in ranks}
        wanted = np.unique(np.concatenate(list(tops.values()))).tolist()
        right = _right(question, snapshot.collection.passages(wanted))
        for weight, top in tops.items():
            places = np.flatnonzero([number in right for number in top.tolist()])
            ranks[weight] += 1 / (1 + int(places[0])) / len(questions) if len(places) else 0.0
    return max(ranks, key=lambda weight: ranks[weight]), ranks


def _unions(snapshot: Snapshot, encoder: BertEncoder, questions: Sequence[str]) -> list[tuple[Numbers, Floats, Floats]]:
    """For each question the passages that either search finds, with both scores."""
    vectors = encoder.encode_questions(questions)
    nearest = snapshot.dense.search(vectors, UNION_PASSAGES).numbers
    unions = []
    for question, vector, numbers in zip(questions, vectors, nearest, strict=True):
        words = snapshot.search_words(question, UNION_PASSAGES, None).numbers[0]
        union, scores = score_union(snapshot, question, vector, np.concatenate([words, numbers]))
        unions.append((union, scores["bm25"].astype(np.float64), scores["dense"].astype(np.float64)))
    return unions


def _unit(unions: Sequence[tuple[Numbers, Floats, Floats]]) -> float:
    """The weight with which both scores spread equally, on average over the questions."""
    spreads = np.array([(bm25.std(), dense.std()) for _, bm25, dense in unions if len(bm25) > 1])
    words, similarity = spreads.mean(axis=0) if len(spreads) else (1.0, 1.0)
    return float(words / similarity) if words and similarity else 1.0


def _right(question: Question, passages: dict[int, Passage]) -> set[int]:
    matcher = AnswerMatcher(question.answers, question.match)
    wanted = set(question.document_ids)
    return {
        number
        for number, passage in passages.items()
        if (not wanted or passage.document_id in wanted) and (not question.answers or matcher(passage.text))
    }
