"""Vectors of documents."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from threading import Lock
from typing import Any

from haystack import Document, component, default_from_dict, default_to_dict

import opendpr


@component
class OpenDPRDocumentEmbedder:
    """Gives documents their vectors, by the passage encoder of a model; similarity is the inner product.

    As in the paper, the encoder reads a title and a text. Documents should be as short as the passages that it was
    trained with, about a hundred words: what is beyond 256 tokens does not count.

    ```python
    from haystack_integrations.components.embedders.opendpr import OpenDPRDocumentEmbedder

    documents = OpenDPRDocumentEmbedder().run([Document(content="The pier was built in 1874.")])["documents"]
    ```
    """

    def __init__(self, model: str = "opendpr-minilm", *, title_field: str = "title") -> None:
        """Create the component; the model is loaded by `warm_up`.

        :param model: Name of an installed model, or its directory.
        :param title_field: Key of the meta that holds the title of a document; one without it has none.
        """
        self.model, self.title_field = model, title_field
        self._encoder: opendpr.LoadedEncoder | None = None
        self._lock = Lock()

    def to_dict(self) -> dict[str, Any]:
        """The component as a dictionary, for a saved pipeline."""
        return default_to_dict(self, model=self.model, title_field=self.title_field)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> OpenDPRDocumentEmbedder:
        """The component of a dictionary."""
        made: OpenDPRDocumentEmbedder = default_from_dict(cls, data)
        return made

    def warm_up(self) -> None:
        """Load the model, once.

        :raises StateError: There is no such model, or it has no encoder.
        """
        if self._encoder is None:
            self._encoder = opendpr.load_encoder(self.model)

    @component.output_types(documents=list[Document], meta=dict[str, Any])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """Encode documents, in batches.

        :param documents: The documents; they stay as they are.
        :returns: `documents`, copies with `embedding` set, in the same order, and `meta` with the model's name.
        :raises TypeError: These are no documents.
        """
        if not isinstance(documents, list) or not all(isinstance(document, Document) for document in documents):
            raise TypeError(
                "OpenDPRDocumentEmbedder takes a list of Documents; for a question take OpenDPRTextEmbedder"
            )
        self.warm_up()
        assert self._encoder is not None
        texts = [(str(document.meta.get(self.title_field) or ""), document.content or "") for document in documents]
        with self._lock:
            vectors = self._encoder.encode_passages(texts).tolist()
        encoded = [replace(document, embedding=vector) for document, vector in zip(documents, vectors, strict=True)]
        return {"documents": encoded, "meta": {"model": self.model}}

    @component.output_types(documents=list[Document], meta=dict[str, Any])
    async def run_async(self, documents: list[Document]) -> dict[str, Any]:
        """As `run`, in a thread."""
        return await asyncio.to_thread(self.run, documents)
