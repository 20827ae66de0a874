"""Verbatim answers out of a collection, with a confidence that is calibrated."""

from __future__ import annotations

import asyncio
from typing import Any

from haystack import Document, ExtractedAnswer, component, default_from_dict, default_to_dict

from haystack_integrations.components.retrievers.opendpr import OpenDPRRetriever
from opendpr.serving.records import AskRecord


@component
class OpenDPRAnswerer:
    """Retrieves and reads in one: a question in, the best answers of a collection out.

    The score of an answer is the probability that its words are right, which takes into account how its passage was
    retrieved. Where the best answer is below the threshold of the collection's model, there are no answers.

    ```python
    from haystack_integrations.components.readers.opendpr import OpenDPRAnswerer
    from haystack_integrations.components.retrievers.opendpr import OpenDPRRetriever

    answers = OpenDPRAnswerer(OpenDPRRetriever("notes")).run("Who built the pier?")["answers"]
    ```
    """

    def __init__(
        self, retriever: OpenDPRRetriever, *, top_k: int = 1, read_passages: int = 20, thorough: bool = False
    ) -> None:
        """Create the component; the collection is opened by `warm_up`.

        :param retriever: Says which collection is asked, and which of its documents.
        :param top_k: Most answers.
        :param read_passages: Passages to read for a question.
        :param thorough: Read all of them, also where the first are enough to be sure of an answer.
        """
        self.retriever, self.top_k = retriever, top_k
        self.read_passages, self.thorough = read_passages, thorough

    def to_dict(self) -> dict[str, Any]:
        """The component as a dictionary, for a saved pipeline."""
        return default_to_dict(
            self,
            retriever=self.retriever.to_dict(),
            top_k=self.top_k,
            read_passages=self.read_passages,
            thorough=self.thorough,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> OpenDPRAnswerer:
        """The component of a dictionary."""
        made: OpenDPRAnswerer = default_from_dict(cls, data)
        return made

    def warm_up(self) -> None:
        """Open the collection, once.

        :raises OpendprError: There is no such collection.
        """
        self.retriever.warm_up()

    @component.output_types(answers=list[ExtractedAnswer], documents=list[Document])
    def run(self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None) -> dict[str, Any]:
        """Answer a question.

        :param query: The question.
        :param filters: Filters on the metadata, beside or instead of those of the retriever (`filter_policy`).
        :param top_k: Most answers, instead of the component's number.
        :returns: `answers`, best first, none below the threshold: `document` is the passage that the words were read
            in, `meta` has their place in the document that it is from, and `document_offset` is the place in the
            passage, None where they go on beyond it; and `documents`, the passages.
        :raises OpendprError: The question cannot be understood, or the model has no reader.
        """
        answers = self.top_k if top_k is None else top_k
        record = self.retriever.ask(query, self.read_passages, answers=answers, filters=filters, thorough=self.thorough)
        documents = [self.retriever.document_of(passage) for passage in record.passages]
        return {"answers": _answers(record, documents) if record.answerable else [], "documents": documents}

    @component.output_types(answers=list[ExtractedAnswer], documents=list[Document])
    async def run_async(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, Any]:
        """As `run`, in a thread."""
        return await asyncio.to_thread(self.run, query, filters, top_k)


def _answers(record: AskRecord, documents: list[Document]) -> list[ExtractedAnswer]:
    by_id = {document.id: document for document in documents}
    answers = []
    for answer in record.answers:
        span = answer.spans[0]
        passage = by_id[span.passage_id]
        start, end = span.start - passage.meta["start"], span.end - passage.meta["start"]
        is_inside = (passage.content or "")[start:end] == answer.text
        answers.append(
            ExtractedAnswer(
                query=record.question,
                score=answer.confidence,
                data=answer.text,
                document=passage,
                document_offset=ExtractedAnswer.Span(start, end) if is_inside else None,
                meta={"document_id": span.document_id, "start": span.start, "end": span.end},
            )
        )
    return answers
