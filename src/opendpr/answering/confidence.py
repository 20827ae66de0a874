"""How sure an answer is: a probability for the whole pipeline, from retrieval to the marked words.

A logistic model of a few plain numbers, one for each retriever. Its weights are stored with the model; they are chosen
in `fitting/confidence.py`, by `opendpr train answering`. Without one, the confidence is the reader's own probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opendpr.answering.asked_question import UNKNOWN_QUESTION, AskedQuestion
from opendpr.answering.decoding import Candidate, Decoding, candidates, log_sum_exp, outcome
from opendpr.answering.question_words import Wording
from opendpr.answering.sentences import nearest_sentence
from opendpr.types import Answer, Outcome, Span

LARGEST_LOGARITHM = 10.0
"""Logarithms are cut off here, so that none decides alone."""


def features(
    ranked: Sequence[Candidate], decoding: Decoding, question: AskedQuestion = UNKNOWN_QUESTION
) -> dict[str, float]:
    """What speaks for the first of the candidates of a question, and against it.

    Args:
        ranked: the candidates, at least one, best first

    `share`: its part of all evidence, as log-odds. `rival`: log of its evidence over the second's. `passage`:
    selection logit of its best passage. `ahead`: how much more that is than those of the other passages together.
    `span`: log P_start + log P_end. `places`: log of how many places count. `margin`: retrieval score of its passage
    less the mean of all. `similarity`, `words`: its scores by vectors and by words. `rank`: log of the passage's rank.
    `length`: log of the answer's words. `heading`: 1 if its best place is in a heading. `mismatch`, `near`, `names`,
    `missing`: what `Wording.place` says against that. `unseen`: how many words of the question occur nowhere.
    """
    best, span = ranked[0], ranked[0].spans[0]
    wording = Wording(question)
    rest = sum(candidate.evidence for candidate in ranked[1:])
    by_passage = {place.hit.passage.number: place for candidate in ranked for place in candidate.spans}
    logits = [place.passage_score for number, place in by_passage.items() if number != span.hit.passage.number]
    retrieved = sorted((decoding.retrieved(place.hit) for place in by_passage.values()), reverse=True)
    own = decoding.retrieved(span.hit)
    return {
        "share": _log_ratio(best.evidence, rest),
        "rival": _log_ratio(best.evidence, ranked[1].evidence if len(ranked) > 1 else 0.0),
        "passage": span.passage_score,
        "ahead": _cut(span.passage_score - log_sum_exp(logits)) if logits else LARGEST_LOGARITHM,
        "span": max(-LARGEST_LOGARITHM, span.span_score),
        "places": math.log(best.agreeing),
        "margin": own - sum(retrieved) / len(retrieved),
        "similarity": span.hit.parts.get("dense", 0.0),
        "words": math.log1p(max(0.0, span.hit.parts.get("bm25", 0.0))),
        "rank": math.log(1 + sum(score > own for score in retrieved)),
        "length": math.log(1 + len(span.text.split())),
        "heading": float(best.heading),
        **wording.place(span)._asdict(),
        "unseen": float(wording.unseen),
    }


@dataclass(frozen=True)
class Confidence:
    """A fitted logistic model.

    Args:
        weights: one for each feature, and `bias`
        threshold: below this confidence a question counts as unanswerable
    """

    weights: Mapping[str, float]
    threshold: float = 0.0

    @classmethod
    def from_stored(cls, stored: Mapping[str, float]) -> Confidence:
        """From a model's config.json."""
        weights = dict(stored)
        return cls(weights, weights.pop("threshold", 0.0))

    def __call__(self, values: Mapping[str, float]) -> float:
        """The probability that the answer with features of these values is right."""
        weights = self.weights
        logit = weights.get("bias", 0.0) + sum(weights.get(name, 0.0) * value for name, value in values.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def calibrated(
    spans: Sequence[Span], decoding: Decoding, confidence: Confidence | None, question: AskedQuestion = UNKNOWN_QUESTION
) -> Outcome:
    """The answers in spans, each with the probability that it is right.

    The first answer's is that of the model; the others share what is left in proportion to their evidence,
    none more than the first by its evidence. All together are at most 1. Below the threshold the sentence that comes
    nearest is put before them.
    """
    if confidence is None:
        return outcome(spans, decoding, question)
    ranked = candidates(spans, decoding, question)
    if not ranked:
        return Outcome((), answerable=False)
    first = confidence(features(ranked, decoding, question))
    total = sum(candidate.evidence for candidate in ranked) or 1.0
    shares = [candidate.evidence / total for candidate in ranked]
    scale = min(first / (shares[0] or 1.0), (1 - first) / (1 - shares[0]) if shares[0] < 1 else 0.0)
    confidences = [first, *(scale * share for share in shares[1:])]
    answers = tuple(
        Answer(candidate.spans[0].text, value, candidate.spans)
        for candidate, value in zip(ranked, confidences, strict=True)
    )
    if first >= confidence.threshold:
        return Outcome(answers, answerable=True)
    return Outcome((nearest_sentence(answers), *answers), answerable=False)


def _log_ratio(a: float, b: float) -> float:
    return _cut(math.log(max(a, 1e-12)) - math.log(max(b, 1e-12)))


def _cut(value: float) -> float:
    return max(-LARGEST_LOGARITHM, min(LARGEST_LOGARITHM, value))
