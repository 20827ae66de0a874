"""Passages of an opendpr collection as a LlamaIndex retriever."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.schema import NodeRelationship, NodeWithScore, ObjectType, QueryBundle, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import MetadataFilters

import opendpr
from llama_index.retrievers.opendpr.filters import where_of
from opendpr.serving.records import AskRecord, PassageRecord

PLACE_KEYS = ["document_id", "start", "end", "page", "anchor"]
"""Keys of the metadata that say where a passage is; neither embedded nor shown to a language model."""


class OpenDPRRetriever(BaseRetriever):
    """The passages of a collection that fit a question best, best first.

    Each node has the id of its passage, its document as source, and in its metadata `document_id`, `title`, `start` and
    `end`: the passage is exactly these characters of the document's text. Where there is one, `page` is that of a PDF
    (from 1), and `anchor` what a link to the section names after `#`.

    Args:
        collection: path of a collection, or of a folder or file of documents; or a service's address, as
            http://127.0.0.1:8000
        similarity_top_k: passages to find
        filters: LlamaIndex's filters on the metadata of documents
        where: opendpr's own, as `year >= 2019 and source = 'manual'`; a document must meet both
        retriever: how passages are found
        model: name or directory, for a path; None is the one that the collection was encoded with
        token: of a service that needs one

    Raises:
        opendpr.OpendprError: there is no such collection, or a question or filter cannot be understood.
    """

    def __init__(
        self,
        collection: str,
        *,
        similarity_top_k: int = 5,
        filters: MetadataFilters | None = None,
        where: str | None = None,
        retriever: Literal["hybrid", "dense", "bm25"] = "hybrid",
        model: str | None = None,
        token: str | None = None,
        callback_manager: CallbackManager | None = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(callback_manager=callback_manager, verbose=verbose)
        self._connection = opendpr.connect(collection, model, token=token)
        self._similarity_top_k, self._where, self._kind = similarity_top_k, where_of(filters, where), retriever

    def ask(self, question: str, k: int, *, thorough: bool = False) -> AskRecord:
        """What comes of a question to the same documents; answers are made of the k best passages.

        Args:
            thorough: read all k, also where the first are enough to be sure of an answer
        """
        return self._connection.ask(question, k, answers=1, retriever=self._kind, where=self._where, thorough=thorough)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        record = self._connection.search(
            query_bundle.query_str, self._similarity_top_k, retriever=self._kind, where=self._where
        )
        return [node_of(passage) for passage in record.passages]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def node_of(passage: PassageRecord) -> NodeWithScore:
    """A passage as a node with the score of its search."""
    metadata: dict[str, Any] = {
        "document_id": passage.document_id,
        "title": passage.title,
        "start": passage.start,
        "end": passage.end,
    }
    place = {"page": passage.page, "anchor": passage.anchor}
    node = TextNode(
        id_=passage.passage_id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata=metadata | {name: value for name, value in place.items() if value is not None},
        excluded_embed_metadata_keys=PLACE_KEYS,
        excluded_llm_metadata_keys=PLACE_KEYS,
        relationships={
            NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.document_id, node_type=ObjectType.DOCUMENT)
        },
    )
    return NodeWithScore(node=node, score=passage.score)
