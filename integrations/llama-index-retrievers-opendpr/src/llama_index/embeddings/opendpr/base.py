"""The encoders of an opendpr model as LlamaIndex embeddings."""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

import opendpr


class OpenDPREmbedding(BaseEmbedding):
    """Vectors of questions and passages, by an encoder of its own for each; similarity is the inner product.

    Args:
        model_name: name of an installed model, or its directory

    Raises:
        opendpr.StateError: there is no such model, or it has no encoder.
    """

    _encoder: opendpr.LoadedEncoder = PrivateAttr()
    _lock: Lock = PrivateAttr(default_factory=Lock)

    def __init__(self, model_name: str = "opendpr-minilm", **kwargs: Any) -> None:
        super().__init__(model_name=model_name, **kwargs)
        self._encoder = opendpr.load_encoder(model_name)

    @classmethod
    def class_name(cls) -> str:
        return "OpenDPREmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        with self._lock:
            vector: list[float] = self._encoder.encode_questions(query).tolist()
        return vector

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        with self._lock:
            vectors: list[list[float]] = self._encoder.encode_passages(texts).tolist()
        return vectors

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)
