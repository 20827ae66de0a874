"""The encoders of an opendpr model as LangChain embeddings."""

from __future__ import annotations

from threading import Lock
from typing import Any

from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, ConfigDict, PrivateAttr

import opendpr


class OpenDPREmbeddings(BaseModel, Embeddings):
    """Vectors of questions and passages, by an encoder of its own for each; similarity is the inner product.

    Example:
        embeddings = OpenDPREmbeddings()
        InMemoryVectorStore.from_texts(["The pier was built in 1874."], embeddings)

    Raises:
        opendpr.StateError: there is no such model, or it has no encoder.
    """

    model_config = ConfigDict(extra="forbid")

    model: str = "opendpr-minilm"
    """Name of an installed model, or its directory."""
    _encoder: opendpr.LoadedEncoder = PrivateAttr()
    _lock: Lock = PrivateAttr(default_factory=Lock)

    def model_post_init(self, context: Any, /) -> None:
        """Load the model's description; weights are loaded when they are first needed."""
        super().model_post_init(context)
        self._encoder = opendpr.load_encoder(self.model)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each passage, in batches."""
        with self._lock:
            vectors: list[list[float]] = self._encoder.encode_passages(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        with self._lock:
            vector: list[float] = self._encoder.encode_questions(text).tolist()
        return vector
