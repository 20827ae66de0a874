"""The last step of answering: from the spans of a question to its outcome, as one model and one retriever mean it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opendpr.answering.asked_question import UNKNOWN_QUESTION, AskedQuestion
from opendpr.answering.confidence import Confidence, calibrated
from opendpr.answering.decoding import Decoding
from opendpr.answering.explaining import Explanation, explain
from opendpr.model.directory import Model
from opendpr.types import Outcome, Span


@dataclass(frozen=True)
class Decoder:
    """What the scores of spans count, and how sure their answers are.

    Args:
        decoding: the weights of the scores
        confidence: fitted for one retriever; None leaves the reader's own probabilities
    """

    decoding: Decoding
    confidence: Confidence | None = None

    @classmethod
    def for_model(cls, model: Model, retriever: str) -> Decoder:
        """The decoder of a model, for passages that the named retriever found."""
        stored = model.confidence.get(retriever)
        return cls(Decoding.from_weights(model.retrieval), Confidence.from_stored(stored) if stored else None)

    def decode(self, spans: Sequence[Span], question: AskedQuestion = UNKNOWN_QUESTION) -> Outcome:
        """The answers in the spans of one question, most confident first."""
        return calibrated(spans, self.decoding, self.confidence, question)

    def explain(self, spans: Sequence[Span], question: AskedQuestion = UNKNOWN_QUESTION) -> list[Explanation]:
        """For each of the outcome's phrases how it came to its place and its confidence."""
        return explain(spans, self.decoding, self.confidence, question)
