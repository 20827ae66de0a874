"""Vectors of questions."""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import Any

from haystack import component, default_from_dict, default_to_dict

import opendpr


@component
class OpenDPRTextEmbedder:
    """Gives a question its vector, by the question encoder of a model; similarity is the inner product.

    ```python
    from haystack_integrations.components.embedders.opendpr import OpenDPRTextEmbedder

    embedding = OpenDPRTextEmbedder().run("Who built the pier?")["embedding"]
    ```
    """

    def __init__(self, model: str = "opendpr-minilm") -> None:
        """Create the component; the model is loaded by `warm_up`.

        :param model: Name of an installed model, or its directory.
        """
        self.model = model
        self._encoder: opendpr.LoadedEncoder | None = None
        self._lock = Lock()

    def to_dict(self) -> dict[str, Any]:
        """The component as a dictionary, for a saved pipeline."""
        return default_to_dict(self, model=self.model)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> OpenDPRTextEmbedder:
        """The component of a dictionary."""
        made: OpenDPRTextEmbedder = default_from_dict(cls, data)
        return made

    def warm_up(self) -> None:
        """Load the model, once.

        :raises StateError: There is no such model, or it has no encoder.
        """
        if self._encoder is None:
            self._encoder = opendpr.load_encoder(self.model)

    @component.output_types(embedding=list[float], meta=dict[str, Any])
    def run(self, text: str) -> dict[str, Any]:
        """Encode a question.

        :param text: The question.
        :returns: `embedding`, and `meta` with the model's name.
        :raises TypeError: It is no text.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"OpenDPRTextEmbedder takes one text, got {type(text).__name__}; "
                "for documents take OpenDPRDocumentEmbedder"
            )
        self.warm_up()
        assert self._encoder is not None
        with self._lock:
            embedding = self._encoder.encode_questions(text).tolist()
        return {"embedding": embedding, "meta": {"model": self.model}}

    @component.output_types(embedding=list[float], meta=dict[str, Any])
    async def run_async(self, text: str) -> dict[str, Any]:
        """As `run`, in a thread."""
        return await asyncio.to_thread(self.run, text)
