"""From a question to answers: a retriever, a reader and a decoder, composed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait
from functools import cached_property
from typing import overload

from opendpr.answering.asked_question import asked_question, check_question
from opendpr.answering.borders import with_borders
from opendpr.answering.decoder import Decoder
from opendpr.answering.explaining import Explanation
from opendpr.answering.stopping import read_enough
from opendpr.choices import DEFAULT_RETRIEVER, READ_PASSAGES, SEARCH_PASSAGES, needs_vectors
from opendpr.collection import Collection
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
        """Servers of the engine, or members of a set, that the last search went without; none unless allowed."""
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
        self,
        question: str,
        k: int = READ_PASSAGES,
        where: str | None = None,
        *,
        retriever: str | None = None,
        thorough: bool = False,
    ) -> Outcome: ...

    @overload
    def ask(
        self,
        question: list[str] | tuple[str, ...],
        k: int = READ_PASSAGES,
        where: str | None = None,
        *,
        retriever: str | None = None,
        thorough: bool = False,
    ) -> list[Outcome]: ...

    def ask(
        self,
        question: str | list[str] | tuple[str, ...],
        k: int = READ_PASSAGES,
        where: str | None = None,
        *,
        retriever: str | None = None,
        thorough: bool = False,
    ) -> Outcome | list[Outcome]:
        """Answers from the k passages that fit a question best, of documents that meet the filter `where`.

        Args:
            question: one, or several, which give a list of outcomes in the same order
            thorough: read all k, also where the first are enough to be sure of an answer

        Raises:
            UsageError: a question is empty or too long, or the filter cannot be understood.
            StateError: the model has no reader.
        """
        if isinstance(question, str):
            return self._ask([question], k, where, retriever, thorough=thorough)[0]
        for text in question:
            check_question(text)  # all of them before the first is answered
        batches = batched(question, ASK_BATCH_QUESTIONS)
        return [outcome for batch in batches for outcome in self._ask(batch, k, where, retriever, thorough=thorough)]

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
        self._load(retriever or self._default_retriever)
        wanted = max(k, self._reranking.depth) if self._reranking else k
        hits = chosen.retrieve(questions, wanted, where)
        return self._reranking.best(questions, hits, k) if self._reranking else hits

    def _load(self, kind: str) -> None:
        """Load what a retriever searches, and beside it the network that encodes questions."""
        loading = [self.encoder.loading] if needs_vectors(kind) else []
        try:
            self._live.load(kind)
        finally:
            wait(loading)  # a failure is raised by the retriever, which loads again

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
        return Decoder.for_model(self.model, kind).decode(spans, asked_question(question, kind, self._live))

    def explain(
        self, question: str, k: int = READ_PASSAGES, where: str | None = None, *, thorough: bool = False
    ) -> tuple[Outcome, list[Explanation]]:
        """What `ask` gives, and for each of its phrases what score and confidence are made of."""
        kind = self._default_retriever
        (spans,) = self._read([question], self.retrieve([question], k, where), kind, thorough=thorough)
        decoder, facts = Decoder.for_model(self.model, kind), asked_question(question, kind, self._live)
        return decoder.decode(spans, facts), decoder.explain(spans, facts)

    def read_until_sure(
        self, questions: Sequence[str], hits: Sequence[Sequence[Hit]], kinds: Sequence[str]
    ) -> list[list[Span]]:
        """What `read_bordered` gives, without the passages that are not needed to be sure of an answer (`stopping.py`).

        Args:
            kinds: for each question the retriever that found its passages
        """
        if not set(kinds) <= set(self.model.confidence):
            return self.read_bordered(questions, hits)

        def decode(place: int, spans: Sequence[Span]) -> Outcome:
            return self.outcome(spans, questions[place], retriever=kinds[place])

        return read_enough(self.reader, questions, hits, decode)

    def _read(
        self, questions: Sequence[str], hits: Sequence[Sequence[Hit]], kind: str, *, thorough: bool
    ) -> list[list[Span]]:
        bordered = self.with_borders(hits)
        if thorough:
            return self.read_bordered(questions, bordered)
        return self.read_until_sure(questions, bordered, [kind] * len(questions))

    def _ask(
        self, questions: Sequence[str], k: int, where: str | None, retriever: str | None, *, thorough: bool
    ) -> list[Outcome]:
        loading = self.reader.loading
        try:
            hits = self.retrieve(questions, k, where, retriever=retriever)
        finally:
            wait([loading])  # a failure is raised by `read`, which loads again
        read = self._read(questions, hits, retriever or self._default_retriever, thorough=thorough)
        return [
            self.outcome(spans, question, retriever=retriever) for question, spans in zip(questions, read, strict=True)
        ]
