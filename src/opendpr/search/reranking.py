"""Re-ranking: a cross-encoder reads the best passages of a search together with the question and orders them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opendpr.model.directory import find_model
from opendpr.model.reranker import CrossEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Hit


@dataclass(frozen=True)
class Reranking:
    """A cross-encoder, and how many passages of each question it reads."""

    encoder: CrossEncoder
    depth: int

    def best(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]], k: int) -> list[list[Hit]]:
        """For each question the k best of its hits, by the cross-encoder's score; ties keep the order of the search."""
        return [self._best(question, own)[:k] for question, own in zip(questions, hits, strict=True)]

    def _best(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        scores = self.encoder.score(question, [hit.passage for hit in hits]).tolist()
        scored = [
            replace(hit, score=score, parts={**hit.parts, "rerank": score})
            for hit, score in zip(hits, scores, strict=True)
        ]
        return sorted(scored, key=lambda hit: -hit.score)


def make_reranking(model: str, depth: int, runtime: RuntimeSettings = RuntimeSettings()) -> Reranking:
    """Re-ranking by a model's cross-encoder.

    Raises:
        StateError: there is no such model, or it has no cross-encoder.
    """
    return Reranking(CrossEncoder(find_model(model), runtime), depth)
