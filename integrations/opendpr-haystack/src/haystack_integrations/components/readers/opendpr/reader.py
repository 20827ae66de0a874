"""Verbatim answers out of documents."""

from __future__ import annotations

import asyncio
import math
from threading import Lock
from typing import Any

from haystack import Document, ExtractedAnswer, component, default_from_dict, default_to_dict

import opendpr


@component
class OpenDPRReader:
    """Marks the words of documents that answer a question: an extractive reader, as Haystack 2 had one.

    Scores are the probabilities that the reader gives, over all documents together (paper section 6.1); as it does not
    know how the documents were retrieved, they are not calibrated. Those of OpenDPRAnswerer are.

    ```python
    from haystack_integrations.components.readers.opendpr import OpenDPRReader

    answers = OpenDPRReader().run("Who built the pier?", documents)["answers"]
    ```
    """

    def __init__(
        self,
        model: str = "opendpr-minilm",
        *,
        top_k: int = 20,
        score_threshold: float | None = None,
        no_answer: bool = True,
    ) -> None:
        """Create the component; the model is loaded by `warm_up`.

        :param model: Name of an installed model, or its directory.
        :param top_k: Most answers, not counting the one without words.
        :param score_threshold: Least score of an answer; None gives all.
        :param no_answer: Whether an answer without words (`data` is None) is given too, with the probability that all
            others are wrong as its score.
        """
        self.model, self.top_k = model, top_k
        self.score_threshold, self.no_answer = score_threshold, no_answer
        self._reader: opendpr.LoadedReader | None = None
        self._lock = Lock()

    def to_dict(self) -> dict[str, Any]:
        """The component as a dictionary, for a saved pipeline."""
        return default_to_dict(
            self,
            model=self.model,
            top_k=self.top_k,
            score_threshold=self.score_threshold,
            no_answer=self.no_answer,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> OpenDPRReader:
        """The component of a dictionary."""
        made: OpenDPRReader = default_from_dict(cls, data)
        return made

    def warm_up(self) -> None:
        """Load the model, once.

        :raises StateError: There is no such model, or it has no reader.
        """
        if self._reader is None:
            self._reader = opendpr.load_reader(self.model)

    @component.output_types(answers=list[ExtractedAnswer])
    def run(
        self,
        query: str,
        documents: list[Document],
        top_k: int | None = None,
        score_threshold: float | None = None,
        no_answer: bool | None = None,
    ) -> dict[str, list[ExtractedAnswer]]:
        """Read documents for an answer.

        :param query: The question.
        :param documents: What is read; one without text holds no answer.
        :param top_k: Instead of the component's number.
        :param score_threshold: Instead of the component's.
        :param no_answer: Instead of the component's.
        :returns: `answers`, best first. `document_offset` is the place in the document's content; where the document
            comes from OpenDPRRetriever, `meta` has the place in the text that it was cut from.
        """
        self.warm_up()
        assert self._reader is not None
        texts = [(str(document.meta.get("title") or ""), document.content or "") for document in documents]
        with self._lock:
            outcome = self._reader.read(query, texts)
        threshold = self.score_threshold if score_threshold is None else score_threshold
        best = outcome.phrases[: self.top_k if top_k is None else top_k]
        answers = [_extracted(answer, query, documents[int(answer.document_id)]) for answer in best]
        if self.no_answer if no_answer is None else no_answer:
            answers.append(ExtractedAnswer(query=query, score=math.prod(1 - answer.confidence for answer in best)))
        likely = [answer for answer in answers if threshold is None or answer.score >= threshold]
        return {"answers": sorted(likely, key=lambda answer: -answer.score)}

    @component.output_types(answers=list[ExtractedAnswer])
    async def run_async(
        self,
        query: str,
        documents: list[Document],
        top_k: int | None = None,
        score_threshold: float | None = None,
        no_answer: bool | None = None,
    ) -> dict[str, list[ExtractedAnswer]]:
        """As `run`, in a thread."""
        return await asyncio.to_thread(self.run, query, documents, top_k, score_threshold, no_answer)


def _extracted(answer: opendpr.Answer, query: str, document: Document) -> ExtractedAnswer:
    """An answer as Haystack has it."""
    meta: dict[str, Any] = {}
    start = document.meta.get("start")
    if isinstance(start, int) and "document_id" in document.meta:
        meta = {"document_id": document.meta["document_id"], "start": start + answer.start, "end": start + answer.end}
    return ExtractedAnswer(
        query=query,
        score=answer.confidence,
        data=answer.text,
        document=document,
        document_offset=ExtractedAnswer.Span(answer.start, answer.end),
        meta=meta,
    )
