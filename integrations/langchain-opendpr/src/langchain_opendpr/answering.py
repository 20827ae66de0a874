"""Verbatim answers as a LangChain runnable."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig, RunnableSerializable, run_in_executor
from pydantic import BaseModel

from langchain_opendpr.connected import Connected
from opendpr.serving.records import AskRecord


class VerbatimAnswer(BaseModel):
    """Words of a document that answer a question: exactly the characters `start` to `end` of its text."""

    text: str
    confidence: float
    """Probability that these words are right, in [0, 1]."""
    document_id: str
    title: str
    start: int
    end: int
    page: int | None = None
    """Of a PDF, from 1."""
    anchor: str | None = None
    """What a link to the section names after `#`."""
    passage: str
    """The passage that the words were read in."""


class OpenDPRAnswerer(Connected, RunnableSerializable[str, VerbatimAnswer | None]):
    """A question in, the best answer out; None where the documents do not answer it surely enough.

    How sure that is, is decided by the threshold of the collection's model.

    Example:
        answer = OpenDPRAnswerer(collection="notes").invoke("Who built the pier?")
        answer.text, answer.confidence, answer.document_id

    Raises:
        opendpr.OpendprError: there is no such collection, its model has no reader, or a question or filter cannot be
            understood.
    """

    k: int = 20
    """Passages to read."""
    thorough: bool = False
    """Read all k, also where the first are enough to be sure of an answer."""

    def invoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> VerbatimAnswer | None:
        """The best answer to a question, or None."""
        return self._call_with_config(self._answer, input, config, **kwargs)

    async def ainvoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> VerbatimAnswer | None:
        """The best answer to a question, or None; it is found in a thread."""

        async def answer(question: str) -> VerbatimAnswer | None:
            return await run_in_executor(None, self._answer, question)

        return await self._acall_with_config(answer, input, config, **kwargs)

    def ask(self, question: str) -> AskRecord:
        """All that came of a question: answers, best first, whether the best is sure, and the passages."""
        return self._connection.ask(
            question, self.k, answers=1, retriever=self.retriever, where=self.where, thorough=self.thorough
        )

    def _answer(self, question: str) -> VerbatimAnswer | None:
        return verbatim_answer(self.ask(question))


def verbatim_answer(record: AskRecord) -> VerbatimAnswer | None:
    """The best answer of a record; None where it is not sure enough."""
    if not record.answerable:
        return None
    best = record.answers[0]
    span = best.spans[0]
    texts = {passage.passage_id: passage.text for passage in record.passages}
    return VerbatimAnswer(
        text=best.text,
        confidence=best.confidence,
        document_id=span.document_id,
        title=span.title,
        start=span.start,
        end=span.end,
        page=span.page,
        anchor=span.anchor,
        passage=texts[span.passage_id],
    )
