"""Finding passages for questions: dense, BM25, and both together (paper section 5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opendpr.choices import RETRIEVERS, needs_vectors, needs_words
from opendpr.errors import UsageError
from opendpr.model.encoder import BertEncoder
from opendpr.protocols import Encoder, Retriever
from opendpr.search.exact import top
from opendpr.search.live import LiveSnapshot
from opendpr.search.snapshot import Snapshot
from opendpr.search.union import contenders, dense_union
from opendpr.types import Hit, Neighbours, Numbers

UNION_PASSAGES = 1_000
"""Passages of each kind whose union a hybrid search ranks; the paper takes 2,000."""


class DenseRetriever:
    """The largest inner products of question and passage vectors (paper section 3.1)."""

    def __init__(self, live: LiveSnapshot, encoder: Encoder) -> None:
        self._live, self._encoder = live, encoder

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first."""
        if not questions:
            return []
        self._live.collection.refuse_fork()  # the threads of the encoder and of FAISS do not survive one
        vectors = self._encoder.encode_questions(questions)

        def search(snapshot: Snapshot) -> list[list[Hit]]:
            nearest = snapshot.nearest(vectors, k, where)
            return snapshot.hits(nearest, [{"dense": scores} for scores in nearest.scores])

        return self._live.search("dense", search)


class Bm25Retriever:
    """The passages that share the rarest words with the question."""

    def __init__(self, live: LiveSnapshot) -> None:
        self._live = live

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first; fewer if fewer share a word with it."""

        def search(snapshot: Snapshot) -> list[list[Hit]]:
            lists, allowed = [], snapshot.allowed(where)
            for question in questions:
                best = snapshot.search_words(question, k, allowed)
                lists += snapshot.hits(best, [{"bm25": best.scores[0]}])
            return lists

        return self._live.search("bm25", search)


class HybridRetriever:
    """BM25(q, p) + weight * sim(q, p) over the union of the best of both (paper section 5)."""

    def __init__(self, live: LiveSnapshot, encoder: Encoder, weight: float) -> None:
        self._live, self.encoder, self.weight = live, encoder, weight

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages, best first; both scores are computed for the whole union."""
        if not questions:
            return []
        self._live.collection.refuse_fork()  # the threads of the encoder and of FAISS do not survive one
        vectors = self.encoder.encode_questions(questions)

        def search(snapshot: Snapshot) -> list[list[Hit]]:
            lists, allowed = [], snapshot.allowed(where)
            nearest = snapshot.nearest(vectors, max(k, UNION_PASSAGES), where)
            for place, (question, vector) in enumerate(zip(questions, vectors, strict=True)):
                words = snapshot.search_words(question, max(k, UNION_PASSAGES), allowed)
                own = Neighbours(nearest.scores[place : place + 1], nearest.numbers[place : place + 1])
                union, dense = dense_union(snapshot, vector, own, words.numbers[0])
                kept = contenders(union, (self.weight * dense).astype(np.float32), words, k)
                union, dense = union[kept], dense[kept]
                best, parts = self._best(union, {"dense": dense, "bm25": snapshot.score_words(question, union)}, k)
                lists += snapshot.hits(best, [parts])
            return lists

        return self._live.search("hybrid", search)

    def _best(
        self, union: Numbers, parts: dict[str, NDArray[np.float32]], k: int
    ) -> tuple[Neighbours, dict[str, NDArray[np.float32]]]:
        total = (parts["bm25"] + self.weight * parts["dense"]).astype(np.float32)
        best = top(total[None], np.arange(len(union))[None], min(k, len(union)))
        places = best.numbers[0]
        return Neighbours(best.scores, union[places][None]), {name: scores[places] for name, scores in parts.items()}


def make_retriever(
    kind: str, live: LiveSnapshot, encoder: BertEncoder | None = None, *, weight: float | None = None
) -> Retriever:
    """A retriever by name.

    Args:
        live: shared by all retrievers of the collection, so that nothing is loaded twice
        encoder: of questions; `bm25` needs none
        weight: of the similarity beside BM25 in hybrid search; None is the model's

    Raises:
        StateError: the collection was encoded by another model than `encoder`.
        UsageError: the name is unknown, or a dense part lacks an encoder.
    """
    if not needs_vectors(kind):
        return Bm25Retriever(live)
    if kind not in RETRIEVERS or encoder is None:
        raise UsageError(f"retriever must be one of {', '.join(RETRIEVERS)}, got {kind!r}")
    live.collection.refuse_other_encoder(encoder.model.fingerprint, encoder.model.reference)
    if not needs_words(kind):
        return DenseRetriever(live, encoder)
    return HybridRetriever(live, encoder, encoder.model.hybrid_weight if weight is None else weight)
