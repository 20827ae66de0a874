"""Passages of an opendpr collection as Haystack documents."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from haystack import Document, component, default_from_dict, default_to_dict
from haystack.document_stores.types import FilterPolicy, apply_filter_policy
from haystack.utils import Secret

import opendpr
from haystack_integrations.components.retrievers.opendpr.filters import where_of
from opendpr.serving.records import AskRecord, PassageRecord


@component
class OpenDPRRetriever:
    """Finds the passages of a collection that fit a question best, best first.

    Each document has the id of its passage, the score of the search, and in its meta `document_id`, `title`, `start`
    and `end`: the passage is exactly these characters of the text of the document that it is from. Where there is one,
    `page` is that of a PDF (from 1), and `anchor` what a link to the section names after `#`.

    ```python
    from haystack_integrations.components.retrievers.opendpr import OpenDPRRetriever

    retriever = OpenDPRRetriever("notes", top_k=3)
    retriever.run("Who built the pier?", filters={"field": "meta.year", "operator": ">=", "value": 1900})
    ```
    """

    def __init__(
        self,
        collection: str,
        *,
        top_k: int = 10,
        filters: dict[str, Any] | None = None,
        filter_policy: FilterPolicy = FilterPolicy.REPLACE,
        where: str | None = None,
        retriever: Literal["hybrid", "dense", "bm25"] = "hybrid",
        model: str | None = None,
        token: Secret | None = None,
    ) -> None:
        """Create the component; the collection is opened by `warm_up`.

        :param collection: Path of a collection, or of a folder or file of documents; or a service's address, as
            http://127.0.0.1:8000.
        :param top_k: Passages to find.
        :param filters: Haystack's filters on the metadata of documents.
        :param filter_policy: What becomes of these filters where `run` is given some.
        :param where: A filter of opendpr's own, as `year >= 2019 and source = 'manual'`, that every document must meet.
        :param retriever: How passages are found.
        :param model: Name or directory, for a path; None is the one that the collection was encoded with.
        :param token: Of a service that needs one.
        :raises FilterError: The filters are none.
        """
        self.collection, self.top_k, self.where = collection, top_k, where
        self.filters, self.filter_policy = filters, filter_policy
        self.retriever, self.model, self.token = retriever, model, token
        self._connection: opendpr.Connection | None = None
        where_of(filters)  # now, because a wrong filter should be reported where it is given

    def to_dict(self) -> dict[str, Any]:
        """The component as a dictionary, for a saved pipeline."""
        return default_to_dict(
            self,
            collection=self.collection,
            top_k=self.top_k,
            filters=self.filters,
            filter_policy=self.filter_policy.value,
            where=self.where,
            retriever=self.retriever,
            model=self.model,
            token=self.token,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> OpenDPRRetriever:
        """The component of a dictionary."""
        parameters = dict(data.get("init_parameters", {}))
        if "filter_policy" in parameters:
            parameters["filter_policy"] = FilterPolicy.from_str(parameters["filter_policy"])
        made: OpenDPRRetriever = default_from_dict(cls, {**data, "init_parameters": parameters})
        return made

    def warm_up(self) -> None:
        """Open the collection, once.

        :raises OpendprError: There is no such collection.
        """
        if self._connection is None:
            token = self.token.resolve_value() if self.token else None
            self._connection = opendpr.connect(self.collection, self.model, token=token)

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """Find passages.

        :param query: The question.
        :param filters: Filters on the metadata, beside or instead of those of the component (`filter_policy`).
        :param top_k: Passages to find, instead of the component's number.
        :returns: `documents`, best first.
        :raises OpendprError: The question or the filter `where` cannot be understood.
        """
        wanted = self.top_k if top_k is None else top_k
        record = self._opened().search(query, wanted, retriever=self.retriever, where=self._where(filters))
        return {"documents": [self.document_of(passage) for passage in record.passages]}

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """As `run`, in a thread."""
        return await asyncio.to_thread(self.run, query, filters, top_k)

    def ask(
        self,
        query: str,
        k: int,
        *,
        answers: int = 1,
        filters: dict[str, Any] | None = None,
        thorough: bool = False,
    ) -> AskRecord:
        """What comes of a question to the same documents, for OpenDPRAnswerer.

        :param k: Passages to read.
        :param answers: Most answers.
        :param filters: As for `run`.
        :param thorough: Read all k passages, also where the first are enough to be sure of an answer.
        """
        return self._opened().ask(
            query, k, answers=answers, retriever=self.retriever, where=self._where(filters), thorough=thorough
        )

    @staticmethod
    def document_of(passage: PassageRecord) -> Document:
        """A passage as a document."""
        meta: dict[str, Any] = {
            "document_id": passage.document_id,
            "title": passage.title,
            "start": passage.start,
            "end": passage.end,
        }
        place = {"page": passage.page, "anchor": passage.anchor}
        meta |= {name: value for name, value in place.items() if value is not None}
        return Document(id=passage.passage_id, content=passage.text, meta=meta, score=passage.score)

    def _opened(self) -> opendpr.Connection:
        self.warm_up()
        assert self._connection is not None
        return self._connection

    def _where(self, filters: dict[str, Any] | None) -> str | None:
        return where_of(apply_filter_policy(self.filter_policy, self.filters, filters), self.where)
