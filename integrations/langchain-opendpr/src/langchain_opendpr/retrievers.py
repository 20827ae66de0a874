"""Passages of an opendpr collection as a LangChain retriever."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import run_in_executor

from langchain_opendpr.connected import Connected


class OpenDPRRetriever(Connected, BaseRetriever):
    """The passages of a collection that fit a question best, best first.

    Each document has the `id` of its passage, and in its metadata `document_id`, `title`, `score`, and `start` and
    `end`: the passage is exactly these characters of the document's text. Where there is one, `page` is that of a PDF
    (from 1), and `anchor` what a link to the section names after `#`.

    Example:
        retriever = OpenDPRRetriever(collection="notes", k=3)
        retriever.invoke("Who built the pier?")
        retriever.invoke("Who built the pier?", k=1, where="year >= 1900")

    Raises:
        opendpr.OpendprError: there is no such collection, or a question or filter cannot be understood.
    """

    k: int = 5
    """Passages to find."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        where: str | None = None,
    ) -> list[Document]:
        return self._search(query, k, where)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
        where: str | None = None,
    ) -> list[Document]:
        return await run_in_executor(None, self._search, query, k, where)

    def _search(self, query: str, k: int | None, where: str | None) -> list[Document]:
        """What is found; k and filter are those of the retriever where None is given."""
        wanted, condition = self.k if k is None else k, self.where if where is None else where
        record = self._connection.search(query, wanted, retriever=self.retriever, where=condition)
        documents = []
        for passage in record.passages:
            metadata: dict[str, Any] = {
                "document_id": passage.document_id,
                "title": passage.title,
                "start": passage.start,
                "end": passage.end,
                "score": passage.score,
            }
            place = {"page": passage.page, "anchor": passage.anchor}
            metadata |= {name: value for name, value in place.items() if value is not None}
            documents.append(Document(id=passage.passage_id, page_content=passage.text, metadata=metadata))
        return documents
