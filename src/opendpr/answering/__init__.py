"""From a question to answers: retrieve, read, and say how sure the reader is."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from opendpr.answering.confidence import Confidence, calibrated
from opendpr.answering.decoding import Decoding, outcome
from opendpr.choices import QUESTION_CHARACTERS, READ_PASSAGES
from opendpr.collection import Collection, open_collection
from opendpr.errors import StateError, UsageError
from opendpr.model.directory import DEFAULT_MODEL, Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.protocols import Retriever
from opendpr.search.retrievers import Snapshot, make_retriever
from opendpr.types import Hit, Outcome, Span

__all__ = ["Answerer", "K", "check_question", "open_answerer", "outcome"]

K = READ_PASSAGES


class Answerer:
    """Answers questions from a collection. It follows the collection when another process changes it.

    Args:
        model: or the name of one, which is looked for when it is needed first: BM25 alone needs none.
    """

    def __init__(
        self,
        collection: Collection,
        model: Model | str,
        *,
        retriever: str = "hybrid",
        runtime: RuntimeSettings = RuntimeSettings(),
    ) -> None:
        self.collection, self._model = collection, model
        self._kind, self._runtime = retriever, runtime
        self._encoder = BertEncoder(self.model, runtime) if retriever != "bm25" else None
        self._snapshot = Snapshot(collection)
        self._retriever = make_retriever(retriever, collection, self._encoder, self._snapshot)

    @cached_property
    def model(self) -> Model:
        """The model, with encoders and perhaps a reader."""
        return find_model(self._model) if isinstance(self._model, str) else self._model

    @cached_property
    def _reader(self) -> BertReader:
        return BertReader(self.model, self._runtime)

    def search(self, question: str, k: int = 5, where: str | None = None) -> list[Hit]:
        """The k passages that fit the question best, of documents that meet the filter `where`.

        Raises:
            UsageError: the question is empty or too long, or the filter cannot be understood.
        """
        return self.retrieve([question], k, where)[0]

    def ask(self, question: str, k: int = K, where: str | None = None) -> Outcome:
        """Answers from the k passages that fit the question best, of documents that meet the filter `where`.

        Raises:
            UsageError: the question is empty or too long, or the filter cannot be understood.
            StateError: the model has no reader.
        """
        reader = self._reader
        resolved(self._runtime)  # here, because two networks that decide at the same time disturb each other's trial
        with ThreadPoolExecutor(max_workers=1) as beside:
            beside.submit(reader.load)
            hits = self.retrieve([question], k, where)
        return self.outcome(self.read([question], hits)[0])

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """What `search` finds for each of many questions.

        Raises:
            UsageError: a question is empty or too long, or the filter cannot be understood.
        """
        for question in questions:
            check_question(question)
        return self._current().retrieve(questions, k, where)

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """For each question the best spans of its passages, best first.

        Raises:
            StateError: the model has no reader.
        """
        return self._reader.read(questions, hits)

    def outcome(self, spans: Sequence[Span]) -> Outcome:
        """The answers that the spans of one question are, with the weights and the confidence of the model."""
        stored = self.model.confidence.get(self._kind)
        return calibrated(spans, Decoding.of(self.model.retrieval), Confidence.of(stored) if stored else None)

    def _current(self) -> Retriever:
        if not self._snapshot.is_current():
            snapshot = Snapshot(self.collection, self._snapshot)
            self._retriever = make_retriever(self._kind, self.collection, self._encoder, snapshot)
            self._snapshot = snapshot
        return self._retriever


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
) -> Answerer:
    """Open a collection and the model that it was encoded with, or another with the same encoder.

    Raises:
        StateError: there is no such collection or model, they do not belong together, or the collection has no
            vectors and `retriever` needs them.
    """
    collection = open_collection(Path(directory))
    if not collection.has_documents():
        raise StateError(f"{directory} holds no documents; add some with 'opendpr add'")
    row = collection.encoder() if retriever == "bm25" else collection.require_encoder()
    found = find_model(model) if model else row.model if row else DEFAULT_MODEL
    return Answerer(collection, found, retriever=retriever, runtime=runtime)
