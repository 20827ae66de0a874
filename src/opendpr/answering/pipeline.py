"""From a question to answers: a retriever, a reader and a decoder, composed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cached_property
from pathlib import Path
from typing import overload

from opendpr.answering.decoder import Decoder
from opendpr.answering.following import FollowingRetrievers
from opendpr.choices import QUESTION_CHARACTERS, READ_PASSAGES
from opendpr.collection import Collection, open_collection
from opendpr.errors import StateError, UsageError
from opendpr.iteration import batched
from opendpr.model.directory import DEFAULT_MODEL, Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.search.engine_index import IndexSettings
from opendpr.types import Hit, Outcome, Span

ASK_BATCH_QUESTIONS = 16
"""Questions that are retrieved for and read together when many are asked; it bounds the memory they take."""
SEARCH_PASSAGES = 5
"""Passages that a search returns, if nothing else is asked for."""


class Answerer:
    """Answers questions from a collection. It follows the collection when another process changes it.

    Args:
        model: or the name of one, which is looked for when it is needed first: BM25 alone needs none.
        retriever: `dense`, `bm25` or `hybrid`
        index: the engine that finds candidates by vectors; None means what lies beside the collection

    Raises:
        StateError: there is no such model, or the collection was encoded by another.
        UsageError: the retriever is unknown.
    """

    def __init__(
        self,
        collection: Collection,
        model: Model | str,
        *,
        retriever: str = "hybrid",
        runtime: RuntimeSettings = RuntimeSettings(),
        index: IndexSettings | None = None,
    ) -> None:
        self.collection, self._model = collection, model
        self._name, self._runtime = retriever, runtime
        encoder = BertEncoder(self.model, runtime) if retriever != "bm25" else None
        self._retrievers = FollowingRetrievers(collection, encoder, [retriever], index=index)

    @cached_property
    def model(self) -> Model:
        """The model, with encoders and perhaps a reader."""
        return find_model(self._model) if isinstance(self._model, str) else self._model

    @property
    def missing(self) -> tuple[str, ...]:
        """Servers of the engine that the last search went without; none unless that was allowed."""
        return self._retrievers.missing

    @cached_property
    def _reader(self) -> BertReader:
        return BertReader(self.model, self._runtime)

    @cached_property
    def _decoder(self) -> Decoder:
        return Decoder.of(self.model, self._name)

    def search(self, question: str, k: int = SEARCH_PASSAGES, where: str | None = None) -> list[Hit]:
        """The k passages that fit the question best, of documents that meet the filter `where`.

        Raises:
            UsageError: the question is empty or too long, or the filter cannot be understood.
        """
        return self.retrieve([question], k, where)[0]

    @overload
    def ask(self, question: str, k: int = READ_PASSAGES, where: str | None = None) -> Outcome: ...

    @overload
    def ask(
        self, question: list[str] | tuple[str, ...], k: int = READ_PASSAGES, where: str | None = None
    ) -> list[Outcome]: ...

    def ask(
        self, question: str | list[str] | tuple[str, ...], k: int = READ_PASSAGES, where: str | None = None
    ) -> Outcome | list[Outcome]:
        """Answers from the k passages that fit a question best, of documents that meet the filter `where`.

        Args:
            question: one, or several, which give a list of outcomes in the same order

        Raises:
            UsageError: a question is empty or too long, or the filter cannot be understood.
            StateError: the model has no reader.
        """
        if isinstance(question, str):
            return self._ask([question], k, where)[0]
        for text in question:
            check_question(text)  # all of them before the first is answered
        return [outcome for batch in batched(question, ASK_BATCH_QUESTIONS) for outcome in self._ask(batch, k, where)]

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """The first step: for each question its k best passages, as `search` returns them.

        Raises:
            UsageError: a question is empty or too long, or the filter cannot be understood.
        """
        for question in questions:
            check_question(question)
        if not self._retrievers.is_current():
            self._retrievers.refresh()
        return self._retrievers.retrieve(self._name, questions, k, where)

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """The second step: for each question the best spans of its passages, best first.

        Raises:
            StateError: the model has no reader.
        """
        return self._reader.read(questions, hits)

    def outcome(self, spans: Sequence[Span]) -> Outcome:
        """The third step: the answers in the spans of one question, with the model's weights and confidence."""
        return self._decoder.decode(spans)

    def _ask(self, questions: Sequence[str], k: int, where: str | None) -> list[Outcome]:
        loading = self._reader_loading
        try:
            hits = self.retrieve(questions, k, where)
        finally:
            wait([loading])  # a failure is raised by `read`, which loads again
        return [self.outcome(spans) for spans in self.read(questions, hits)]

    @cached_property
    def _reader_loading(self) -> Future[None]:
        """The reader being loaded in a thread of its own, beside the retrieval for the first question."""
        reader = self._reader
        resolved(self._runtime)  # here, because two networks that decide at the same time disturb each other's trial
        executor = ThreadPoolExecutor(max_workers=1)
        loading = executor.submit(reader.load)
        executor.shutdown(wait=False)  # the thread ends once the reader is loaded
        return loading


def check_question(question: str) -> None:
    """Raises UsageError if a question is empty or too long."""
    if not question.strip():
        raise UsageError("the question is empty; ask with at least one word")
    if not question.isascii() and any("\ud800" <= character <= "\udfff" for character in question):
        raise UsageError("the question is not valid UTF-8; convert it")
    if len(question) > QUESTION_CHARACTERS:
        raise UsageError(
            f"the question has {len(question):,} characters, at most {QUESTION_CHARACTERS:,} are taken; shorten it"
        )


def open_answerer(
    directory: str | Path,
    model: str | None = None,
    *,
    retriever: str = "hybrid",
    runtime: RuntimeSettings = RuntimeSettings(),
    index: IndexSettings | None = None,
) -> Answerer:
    """Open a collection and the model that it was encoded with, or another with the same encoder.

    Args:
        index: the engine that finds candidates by vectors; None means what lies beside the collection

    Raises:
        StateError: there is no such collection or model, they do not belong together, or the collection has no
            vectors and `retriever` needs them.
    """
    collection = open_collection(Path(directory))
    if not collection.has_documents():
        raise StateError(f"{directory} holds no documents; add some with 'opendpr add'")
    row = collection.encoder() if retriever == "bm25" else collection.require_encoder()
    chosen = find_model(model) if model else row.model if row else DEFAULT_MODEL
    return Answerer(collection, chosen, retriever=retriever, runtime=runtime, index=index)
