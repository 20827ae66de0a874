"""A collection opened to be asked."""

from __future__ import annotations

from pathlib import Path

from opendpr.answering.pipeline import Answerer
from opendpr.choices import DEFAULT_RETRIEVER, needs_vectors
from opendpr.collection import open_collection
from opendpr.errors import StateError
from opendpr.model.directory import find_model
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.reranking import Reranking
from opendpr.search.settings import SearchSettings


def open_answerer(
    directory: str | Path,
    model: str | None = None,
    *,
    retriever: str = DEFAULT_RETRIEVER,
    runtime: RuntimeSettings = RuntimeSettings(),
    reranking: Reranking | None = None,
    search: SearchSettings = SearchSettings(),
) -> Answerer:
    """Open a collection and the model that it was encoded with, or another with the same encoder.

    Args:
        search: how the collection is searched, and with which engine

    Raises:
        BusyError: a member of a set is not there.
        StateError: there is no such collection or model, they do not belong together, or the collection has no
            vectors and `retriever` needs them.
    """
    collection = open_collection(Path(directory), allow_partial=search.allow_partial)
    if not collection.has_documents():
        raise StateError(f"{directory} holds no documents; add some with 'opendpr add'")
    if needs_vectors(retriever):
        collection.require_encoder()
    chosen = find_model(model) if model else None
    return Answerer(
        collection,
        chosen,
        retriever=retriever,
        runtime=runtime,
        reranking=reranking,
        search=search,
    )
