"""From a question to answers: a retriever, a reader and a decoder, composed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cached_property
from pathlib import Path
from typing import overload

from opendpr.answering.asked import asked
from opendpr.answering.borders import with_borders
from opendpr.answering.decoder import Decoder
from opendpr.answering.explaining import Explanation
from opendpr.choices import DEFAULT_RETRIEVER, QUESTION_CHARACTERS, READ_PASSAGES, SEARCH_PASSAGES, needs_vectors
from opendpr.collection import Collection, open_collection
from opendpr.errors import StateError, UsageError
from opendpr.iteration import batched
from opendpr.model.directory import DEFAULT_MODEL, Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.copies import DistinctRetriever
from opendpr.search.live import LiveSnapshot
from opendpr.search.reranking import Reranking
from opendpr.search.retrievers import make_retriever
from opendpr.search.settings import SearchSettings
from opendpr.types import Hit, Outcome, Span

ASK_BATCH_QUESTIONS = 16
"""Questions that are retrieved for and read together when many are asked; it bounds the memory they take."""


class Answerer:
    """Answers questions from a collection. It follows the collection when another process changes it.

    Networks, vectors and words are loaded when they are first needed, and once for all retrievers.

    Args:
        model: or the name of one, which is looked for when it is first needed, as BM25 alone needs none; None is the
            one that the collection was encoded with, or the default
        retriever: `dense`, `bm25` or `hybrid`, where a call names no other
        reranking: orders what the retriever finds again; None leaves it as it is
        search: how the collection is searched, and with which engine

    Raises:
        StateError: there is no such model, or the collection was encoded by another.
        UsageError: the retriever is unknown.
    """

    def __init__(
        self,
        collection: Collection,
        model: Model | str | None = None,
        *,
        retriever: str = DEFAULT_RETRIEVER,
        runtime: RuntimeSettings = RuntimeSettings(),
        reranking: Reranking | None = None,
        search: SearchSettings = SearchSettings(),
    ) -> None:
        self.collection, self._default_retriever = collection, retriever
        self._model, self._runtime, self._reranking = model, runtime, reranking
        self._live = LiveSnapshot(collection, search)
        self._retrievers: dict[str, DistinctRetriever] = {}
        self._retriever(retriever)  # now, because a wrong name or model should be reported where it is given

    @cached_property
    def model(self) -> Model:
        """The model, with encoders and perhaps a reader."""
        if isinstance(self._model, Model):
            return self._model
        row = self.collection.encoder()
        return find_model(self._model or (row.model if row else DEFAULT_MODEL))

    @property
    def version(self) -> int:
        """The version of the collection that is searched."""
        return self._live.version

    @property
    def missing(self) -> tuple[str, ...]:
        """Servers of the engine that the last search went without; none unless that is allowed."""
        return self._live.missing

    @cached_property
    def encoder(self) -> BertEncoder:
        """The encoder that all retrievers share."""
        return BertEncoder(self.model, self._runtime)

    def _retriever(self, kind: str) -> DistinctRetriever:
        if kind not in self._retrievers:
            encoder = self.encoder if needs_vectors(kind) else None
            self._retrievers[kind] = DistinctRetriever(make_retriever(kind, self._live, encoder))
        return self._retrievers[kind]

    @cached_property
    def reader(self) -> BertReader:
        """The reader, made when first needed, because a model without one can still search."""
        return BertReader(self.model, self._runtime)

    def is_current(self) -> bool:
        """Whether nothing changed the collection, or a cache beside it, since the last search."""
        return self._live.is_current()

    def refresh(self) -> None:
        """Search the collection's newest state from now on.

        Raises:
            StateError: it was given another model meanwhile; the state that is searched stays what it was.
        """
        self._live.refresh()

    def search(
        self, question: str, k: int = SEARCH_PASSAGES, where: str | None = None, *, retriever: str | None = None
    ) -> list[Hit]:
        """The k passages that fit the question best, of documents that meet the filter `where`.

        Raises:
            UsageError: the question is empty or too long, or the filter cannot be understood.
        """
        return self.retrieve([question], k, where, retriever=retriever)[0]

    @overload
    def ask(
        self, question: str, k: int = READ_PASSAGES, where: str | None = None, *, retriever: str | None = None
    ) -> Outcome: ...

    @overload
    def ask(
        self,
        question: list[str] | tuple[str, ...],
        k: int = READ_PASSAGES,
        where: str | None = None,
        *,
        retriever: str | None = None,
    ) -> list[Outcome]: ...

    def ask(
        self,
        question: str | list[str] | tuple[str, ...],
        k: int = READ_PASSAGES,
        where: str | None = None,
        *,
        retriever: str | None = None,
    ) -> Outcome | list[Outcome]:
        """Answers from the k passages that fit a question best, of documents that meet the filter `where`.

        Args:
            question: one, or several, which give a list of outcomes in the same order

        Raises:
            UsageError: a question is empty or too long, or the filter cannot be understood.
            StateError: the model has no reader.
        """
        if isinstance(question, str):
            return self._ask([question], k, where, retriever)[0]
        for text in question:
            check_question(text)  # all of them before the first is answered
        batches = batched(question, ASK_BATCH_QUESTIONS)
        return [outcome for batch in batches for outcome in self._ask(batch, k, where, retriever)]

    def retrieve(
        self,
        questions: Sequence[str],
        k: int,
        where: str | None = None,
        *,
        retriever: str | None = None,
        distinct: bool = True,
    ) -> list[list[Hit]]:
        """The first step: for each question its k best passages, as `search` returns them.

        Args:
            distinct: False lists every copy of a text with its own score

        Raises:
            UsageError: a question is empty or too long, or the filter cannot be understood.
        """
        for question in questions:
            check_question(question)
        grouping = self._retriever(retriever or self._default_retriever)
        chosen = grouping if distinct else grouping.retriever
        if not self.is_current():
            self.refresh()
        wanted = max(k, self._reranking.depth) if self._reranking else k
        hits = chosen.retrieve(questions, wanted, where)
        return self._reranking.best(questions, hits, k) if self._reranking else hits

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """The second step: for each question the best spans of its passages, best first.

        Raises:
            StateError: the model has no reader.
        """
        return self.read_bordered(questions, self.with_borders(hits))

    def with_borders(self, hits: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """The first half of `read`, which needs the collection: the hits with the words beyond their borders."""
        return with_borders(self.collection, hits, self.model)

    def read_bordered(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """The second half of `read`, which needs the networks alone, so that another thread can do it."""
        return self.reader.read(questions, hits)

    def outcome(self, spans: Sequence[Span], question: str, *, retriever: str | None = None) -> Outcome:
        """The third step: the answers in the spans of a question, with the model's weights and confidence."""
        kind = retriever or self._default_retriever
        return Decoder.of(self.model, kind).decode(spans, asked(question, kind, self._live))

    def explain(
        self, question: str, k: int = READ_PASSAGES, where: str | None = None
    ) -> tuple[Outcome, list[Explanation]]:
        """What `ask` gives, and for each of its phrases what score and confidence are made of."""
        (spans,) = self.read([question], self.retrieve([question], k, where))
        kind = self._default_retriever
        decoder, facts = Decoder.of(self.model, kind), asked(question, kind, self._live)
        return decoder.decode(spans, facts), decoder.explain(spans, facts)

    def _ask(self, questions: Sequence[str], k: int, where: str | None, retriever: str | None) -> list[Outcome]:
        loading = self._reader_loading
        try:
            hits = self.retrieve(questions, k, where, retriever=retriever)
        finally:
            wait([loading])  # a failure is raised by `read`, which loads again
        read = zip(questions, self.read(questions, hits), strict=True)
        return [self.outcome(spans, question, retriever=retriever) for question, spans in read]

    @cached_property
    def _reader_loading(self) -> Future[None]:
        """The reader being loaded in a thread of its own, beside the retrieval for the first question."""
        reader = self.reader
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
    retriever: str = DEFAULT_RETRIEVER,
    runtime: RuntimeSettings = RuntimeSettings(),
    reranking: Reranking | None = None,
    search: SearchSettings = SearchSettings(),
) -> Answerer:
    """Open a collection and the model that it was encoded with, or another with the same encoder.

    Args:
        search: how the collection is searched, and with which engine

    Raises:
        StateError: there is no such collection or model, they do not belong together, or the collection has no
            vectors and `retriever` needs them.
    """
    collection = open_collection(Path(directory))
    if not collection.has_documents():
        raise StateError(f"{directory} holds no documents; add some")
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
