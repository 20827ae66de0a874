"""A collection of this machine or of a service, searched and asked in the same words: `opendpr.connect`."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Protocol, Self

from opendpr.answering import check_question
from opendpr.api.arguments import check_k, check_retriever, check_runtime, check_where, model_name
from opendpr.api.located import located
from opendpr.api.opening import refuse_missing
from opendpr.choices import DEFAULT_RETRIEVER, READ_PASSAGES, SEARCH_PASSAGES, RetrieverName
from opendpr.collection.opening import holds_documents
from opendpr.errors import UsageError
from opendpr.model.directory import DEFAULT_MODEL
from opendpr.model.runtime import RuntimeSettings
from opendpr.serving.client import Client
from opendpr.serving.describing import ask_record, passage_records
from opendpr.serving.loaded_collection import LoadedCollection, Retrieved
from opendpr.serving.records import AskRecord, SearchRecord


class Connection(Protocol):
    """A collection to search and to ask, from several threads at once; made by `opendpr.connect`."""

    def search(
        self,
        question: str,
        k: int = SEARCH_PASSAGES,
        *,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
    ) -> SearchRecord:
        """The k passages that fit the question best, of documents that meet the filter `where`.

        Raises:
            UsageError: the question is empty or too long, or the filter cannot be understood.
        """
        ...

    def ask(
        self,
        question: str,
        k: int = READ_PASSAGES,
        *,
        answers: int = 5,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
        thorough: bool = False,
    ) -> AskRecord:
        """Answers from the k passages that fit the question best, of documents that meet the filter `where`.

        Args:
            thorough: read all k, also where the first are enough to be sure of an answer

        Raises:
            UsageError: the question is empty or too long, or the filter cannot be understood.
            StateError: the model has no reader.
        """
        ...

    def close(self) -> None:
        """Close files and connections; can be called twice. Later questions are refused with a UsageError."""
        ...

    def __enter__(self) -> Connection: ...

    def __exit__(self, *error: object) -> None: ...


def connect(
    place: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    *,
    token: str | None = None,
    runtime: RuntimeSettings = RuntimeSettings(),
) -> Connection:
    """Open a collection, or a folder or file of documents, or reach `opendpr serve`, by its address.

    What is searched and asked comes as the same records from both. Close it with `with` or `close()`.

    Args:
        place: path, or an address as http://127.0.0.1:8000
        model: name or directory, for a path; None is the one that the collection was encoded with
        token: of a service that needs one
        runtime: what runs the networks, for a path

    Raises:
        StateError: nothing is there, the collection has no documents or no vectors, or the model does not belong to it.
        InputError: the folder or file holds no documents.
        UsageError: the address or the token is not valid, a model is given for a service, which has its own, or a token
            for a path. Whether a service answers at the address is seen by the first question.
    """
    if isinstance(place, str) and place.partition("://")[0].lower() in ("http", "https"):
        if model is not None:
            raise UsageError(f"{place} answers with its own model, got model={model!r}; start the service with --model")
        return _Remote(place, token)
    if token is not None:
        raise UsageError(f"a token is for a service, got one for the path '{place}'")
    check_runtime(runtime)
    path, name = Path(place), None if model is None else model_name(model)
    refuse_missing(path)
    if holds_documents(path):
        name = name or DEFAULT_MODEL
        path = located(path, name, runtime)
    return _Local(LoadedCollection(path, name, runtime))


class _Closing(ABC):
    """What a `with` block closes, and what takes no question afterwards."""

    def __init__(self, name: str) -> None:
        self._name, self._is_closed = name, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None: ...

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise UsageError(f"the connection to {self._name} was closed; connect again")


class _Local(_Closing):
    """A collection of this machine; questions wait for each other."""

    def __init__(self, loaded: LoadedCollection) -> None:
        super().__init__(str(loaded.directory))
        self._loaded, self._lock = loaded, Lock()

    def search(
        self,
        question: str,
        k: int = SEARCH_PASSAGES,
        *,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
    ) -> SearchRecord:
        _check_asked(question, k, retriever, where=where)
        with self._lock:
            retrieved = self._retrieve(question, k, retriever, where)
        passages = passage_records(retrieved, {})
        return SearchRecord(question, retriever, retrieved.version, passages, list(retrieved.missing))

    def ask(
        self,
        question: str,
        k: int = READ_PASSAGES,
        *,
        answers: int = 5,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
        thorough: bool = False,
    ) -> AskRecord:
        _check_asked(question, k, retriever, where=where, answers=answers)
        with self._lock:
            self._refuse_closed()
            self._loaded.model.require_reader()
            retrieved = self._retrieve(question, k, retriever, where)
            (read,) = self._loaded.read([retriever], [question], [retrieved.hits], thorough=thorough)
        return ask_record(question, retriever, retrieved, read=read, answers=answers)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._loaded.collection.close()

    def _retrieve(self, question: str, k: int, retriever: str, where: str | None) -> Retrieved:
        self._refuse_closed()
        return self._loaded.retrieve(retriever, [question], k, where)[0]


class _Remote(_Closing):
    """A service; each thread that asks has a connection of its own while it waits."""

    def __init__(self, url: str, token: str | None) -> None:
        super().__init__(url)
        self._url, self._token = url, token
        self._idle = deque([Client(url, token)])  # now, so that what can be no address or token is refused at once

    def search(
        self,
        question: str,
        k: int = SEARCH_PASSAGES,
        *,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
    ) -> SearchRecord:
        _check_asked(question, k, retriever, where=where)
        with self._client() as client:
            return client.search(question, k, retriever=retriever, where=where)

    def ask(
        self,
        question: str,
        k: int = READ_PASSAGES,
        *,
        answers: int = 5,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
        thorough: bool = False,
    ) -> AskRecord:
        _check_asked(question, k, retriever, where=where, answers=answers)
        with self._client() as client:
            return client.ask(question, k, answers=answers, retriever=retriever, where=where, thorough=thorough)

    def close(self) -> None:
        self._is_closed = True
        self._close_idle()

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    @contextmanager
    def _client(self) -> Iterator[Client]:
        """A connection that nobody uses, or a new one."""
        self._refuse_closed()
        try:
            client = self._idle.pop()
        except IndexError:
            client = Client(self._url, self._token)
        try:
            yield client
        finally:
            self._idle.append(client)
            if self._is_closed:  # by another thread, meanwhile
                self._close_idle()


def _check_asked(question: object, k: int, retriever: str, *, where: str | None, answers: int = 1) -> None:
    """Raises UsageError if an argument is not what a collection and a service take."""
    if not isinstance(question, str):
        raise UsageError(f"the question must be a string, got {question!r}")
    check_question(question)
    check_k(k)
    check_k(answers, "answers")
    check_retriever(retriever)
    check_where(where)
