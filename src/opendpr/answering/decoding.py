"""From the spans of a question to its answers: what speaks for the same words is added up (paper section 6.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from opendpr.answering.asked_question import UNKNOWN_QUESTION, AskedQuestion
from opendpr.answering.evidence import independent, is_heading, repeated_lines
from opendpr.answering.question_words import Wording
from opendpr.answering.tidying import tidied
from opendpr.text import normalize_answer
from opendpr.types import Answer, Hit, Outcome, Span

ROW_NAMES = -2.0
"""As `row_names`. Rows are alike but for these, so that they say which one is meant."""
WORDING_FEATURES = ("mismatch", "near", "names")
"""What the words of question and place count, by its name in a model's config.json."""


@dataclass(frozen=True)
class Decoding:
    """What each score counts when answers are chosen: with the values here, as in the paper.

    P_selected is proportional to exp(passage * selection logit + retrieval * retrieval score), and a span's
    probability is P_selected * (P_start * P_end) ** span * exp(mismatch * m + near * n + names * o), where m, n and o
    are what `Wording.place` says against it.
    """

    passage: float = 1.0
    span: float = 1.0
    retrieval: float = 0.0
    similarity: float = 1.0
    """The paper's lambda: a passage's retrieval score is BM25 + similarity * sim, each where it was computed."""
    mismatch: float = 0.0
    near: float = 0.0
    names: float = 0.0

    @classmethod
    def from_weights(cls, weights: Mapping[str, float]) -> Decoding:
        """From the `retrieval` block of a model's config.json."""
        return cls(
            weights.get("passage", 1.0),
            weights.get("span", 1.0),
            weights.get("reader", 0.0),
            weights.get("lambda", 1.0),
            *(weights.get(name, 0.0) for name in WORDING_FEATURES),
        )

    def retrieved(self, hit: Hit) -> float:
        """The retrieval score of a passage, on one scale whatever found it."""
        return hit.parts.get("bm25", 0.0) + self.similarity * hit.parts.get("dense", 0.0)

    def worded(self, span: Span, wording: Wording) -> float:
        """What the words around a span count, as a logarithm."""
        if not self.counts_words:
            return 0.0
        place = wording.place(span)
        own = self.mismatch * place.mismatch + self.near * place.near + self.names * place.names
        return own + self.row_names * wording.row_lacks(span)

    @property
    def counts_words(self) -> bool:
        """Whether the words around a span count at all."""
        return bool(self.mismatch or self.near or self.names)

    @property
    def row_names(self) -> float:
        """What the share of the question's names and numbers counts that the row of a table lacks."""
        return ROW_NAMES if self.counts_words else 0.0


class Candidate(NamedTuple):
    """The same words at one or several places, best first."""

    spans: tuple[Span, ...]
    evidence: float
    """The probability of the places that count, added up."""
    agreeing: int
    """How many places count: of one document, and of passages with the same text, only the best."""
    heading: bool
    """Whether the best place is in a heading."""


def candidates(
    spans: Sequence[Span], decoding: Decoding, question: AskedQuestion = UNKNOWN_QUESTION
) -> list[Candidate]:
    """The different answers among spans, that with the most evidence first.

    Spans are the same answer if their normalised words are. Places that overlap, as they do in two
    windows of a passage, are one place: the best of them is kept.
    """
    spans, wording = tidied(spans, question.text), Wording(question)
    repeated = repeated_lines(spans)
    selected = {
        span.hit.passage.number: decoding.passage * span.passage_score
        + decoding.retrieval * decoding.retrieved(span.hit)
        for span in spans
    }
    total = log_sum_exp(list(selected.values()))
    groups: dict[str, list[tuple[float, Span]]] = {}
    for span in spans:
        selection = selected[span.hit.passage.number] - total
        probability = math.exp(selection + decoding.span * span.span_score + decoding.worded(span, wording))
        groups.setdefault(normalize_answer(span.text) or span.text, []).append((probability, span))
    merged = []
    for group in groups.values():
        group.sort(key=lambda place: -place[0])
        kept: list[tuple[float, Span]] = []
        for place in group:
            if not any(_overlap(place[1], other) for _, other in kept):
                kept.append(place)
        places = tuple(span for _, span in kept)
        counted = independent(places, repeated)
        evidence = sum(kept[number][0] for number in counted)
        merged.append(Candidate(places, evidence, len(counted), is_heading(places[0], repeated)))
    return sorted(merged, key=lambda candidate: -candidate.evidence)


def outcome(
    spans: Sequence[Span], decoding: Decoding = Decoding(), question: AskedQuestion = UNKNOWN_QUESTION
) -> Outcome:
    """The answers in spans, each with its probability as confidence: the paper's, and not calibrated."""
    answers = tuple(
        Answer(candidate.spans[0].text, min(1.0, candidate.evidence), candidate.spans)
        for candidate in candidates(spans, decoding, question)
    )
    return Outcome(answers, answerable=bool(answers))


def _overlap(a: Span, b: Span) -> bool:
    same = a.hit.passage.document_id == b.hit.passage.document_id
    return same and a.start < b.end and b.start < a.end


def log_sum_exp(values: Sequence[float]) -> float:
    """Log of the sum of exp of the values; 0 if there are none."""
    largest = max(values, default=0.0)
    return largest + math.log(sum(math.exp(value - largest) for value in values) or 1.0)
