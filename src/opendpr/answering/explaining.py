"""What an answer's score and confidence are made of, so that a wrong one can be understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from opendpr.answering.asked_question import AskedQuestion
from opendpr.answering.confidence import Confidence, features
from opendpr.answering.decoding import Candidate, Decoding, candidates
from opendpr.answering.question_words import Wording
from opendpr.types import Span


class Weighed(NamedTuple):
    """A number and what it counts; their product is added up with others."""

    name: str
    value: float
    weight: float

    @property
    def product(self) -> float:
        """What it adds to the sum."""
        return self.value * self.weight

    def fields(self) -> dict[str, Any]:
        """The explanation as a JSON object."""
        return {**self._asdict(), "product": self.product}


@dataclass(frozen=True)
class Explanation:
    """One answer's score, and of the first its confidence.

    Args:
        score: what the best place's score is made of, a logarithm
        retrieval: the parts of its passage's retrieval score, as they are
        places: where the words were read
        agreeing: how many of these places count
        evidence: the probability of these, added up
        confidence: what the logit of the confidence is made of; empty for others than the first, and without a fit
        threshold: below this confidence there is no answer
    """

    text: str
    score: tuple[Weighed, ...]
    retrieval: Mapping[str, float]
    places: int
    agreeing: int
    evidence: float
    confidence: tuple[Weighed, ...]
    threshold: float | None

    def fields(self) -> dict[str, Any]:
        """The explanation as a JSON object."""
        return {
            "text": self.text,
            "score": [part.fields() for part in self.score],
            "retrieval": dict(self.retrieval),
            "places": self.places,
            "agreeing": self.agreeing,
            "evidence": self.evidence,
            "confidence": [part.fields() for part in self.confidence],
            "threshold": self.threshold,
        }


def explain(
    spans: Sequence[Span], decoding: Decoding, confidence: Confidence | None, question: AskedQuestion
) -> list[Explanation]:
    """For each answer in the spans of a question, best first, how it came to its place."""
    ranked = candidates(spans, decoding, question)
    weighed = _confidence(ranked, decoding, confidence, question) if ranked and confidence else ()
    wording = Wording(question)
    return [
        Explanation(
            text=candidate.spans[0].text,
            score=_score(candidate.spans[0], decoding, wording),
            retrieval=candidate.spans[0].hit.parts,
            places=len(candidate.spans),
            agreeing=candidate.agreeing,
            evidence=candidate.evidence,
            confidence=weighed if number == 0 else (),
            threshold=confidence.threshold if confidence and number == 0 else None,
        )
        for number, candidate in enumerate(ranked)
    ]


def _score(span: Span, decoding: Decoding, wording: Wording) -> tuple[Weighed, ...]:
    place = wording.place(span)
    return (
        Weighed("passage selection", span.passage_score, decoding.passage),
        Weighed("span", span.span_score, decoding.span),
        Weighed("retrieval", decoding.retrieved(span.hit), decoding.retrieval),
        Weighed("mismatch", place.mismatch, decoding.mismatch),
        Weighed("near", place.near, decoding.near),
        Weighed("names", place.names, decoding.names),
        Weighed("row", wording.row_lacks(span), decoding.row_names),
    )


def _confidence(
    ranked: Sequence[Candidate], decoding: Decoding, confidence: Confidence, question: AskedQuestion
) -> tuple[Weighed, ...]:
    values = features(ranked, decoding, question)
    weights = confidence.weights
    weighed = [Weighed(name, value, weights[name]) for name, value in values.items() if name in weights]
    return (*weighed, Weighed("bias", 1.0, weights.get("bias", 0.0)))
