"""Haystack's BM25 in memory."""

from __future__ import annotations

from collections.abc import Sequence

from haystack import Document
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.document_stores.in_memory import InMemoryDocumentStore


class HaystackWords:
    """The ten best texts for a question."""

    def __init__(self, texts: Sequence[str]) -> None:
        store = InMemoryDocumentStore()
        store.write_documents([Document(content=text) for text in texts])
        self._retriever = InMemoryBM25Retriever(store, top_k=10)

    def search(self, question: str) -> None:
        """Retrieve and throw away."""
        self._retriever.run(query=question)
