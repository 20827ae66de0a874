"""Verbatim answers as a LlamaIndex query engine; no language model is asked."""

from __future__ import annotations

import asyncio

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle

from llama_index.retrievers.opendpr.base import OpenDPRRetriever, node_of
from opendpr.serving.records import AskRecord

EMPTY_RESPONSE = "Empty Response"
"""What LlamaIndex's own engines say where there is nothing to say."""


class OpenDPRQueryEngine(BaseQueryEngine):
    """Answers a question with the exact words of the documents.

    The response's text is the answer; its metadata has `answerable`, `confidence`, and the place of the words:
    `document_id`, `title`, `start`, `end`, `page` and `anchor`. Its source nodes are the passages, those that the words
    were read in first. Where the documents do not answer surely enough, which the threshold of the collection's model
    decides, the text is `empty_response`, `answerable` is false, and the closest passage is the first node.

    Args:
        retriever: where the answers are from
        k: passages to read
        thorough: read all k, also where the first are enough to be sure of an answer
        empty_response: text of a response without an answer
    """

    def __init__(
        self,
        retriever: OpenDPRRetriever,
        *,
        k: int = 20,
        thorough: bool = False,
        empty_response: str = EMPTY_RESPONSE,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(callback_manager or retriever.callback_manager)
        self._retriever, self._k, self._thorough = retriever, k, thorough
        self._empty_response = empty_response

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The passages that the retriever finds."""
        return self._retriever.retrieve(query_bundle)

    def _query(self, query_bundle: QueryBundle) -> Response:
        with self.callback_manager.event(
            CBEventType.QUERY, payload={EventPayload.QUERY_STR: query_bundle.query_str}
        ) as event:
            record = self._retriever.ask(query_bundle.query_str, self._k, thorough=self._thorough)
            response = self._response(record)
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _response(self, record: AskRecord) -> Response:
        best = record.answers[0] if record.answers else None
        places = {span.passage_id: place for place, span in reversed([*enumerate(best.spans if best else ())])}
        passages = sorted(record.passages, key=lambda passage: places.get(passage.passage_id, len(places)))
        nodes = [node_of(passage) for passage in passages]
        if best is None or not record.answerable:
            return Response(self._empty_response, nodes, {"answerable": False})
        span = best.spans[0]
        metadata = {
            "answerable": True,
            "confidence": best.confidence,
            "document_id": span.document_id,
            "title": span.title,
            "start": span.start,
            "end": span.end,
            "page": span.page,
            "anchor": span.anchor,
        }
        return Response(best.text, nodes, metadata)
