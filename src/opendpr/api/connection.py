"""A collection of this machine or of a service, searched and asked in the same words: `opendpr.connect`."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Protocol

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
        """Close files and connections; can be called twice."""
        ...


def connect(
    place: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    *,
    token: str | None = None,
    runtime: RuntimeSettings = RuntimeSettings(),
) -> Connection:
    """Open a collection, or a folder or file of documents, or reach `opendpr serve`, by its address.

    What is searched and asked comes as the same records from both.

    Args:
        place: path, or an address as http://127.0.0.1:8000
        model: name or directory, for a path; None is the one that the collection was encoded with
        token: of a service that needs one
        runtime: what runs the networks, for a path

    Raises:
        StateError: nothing is there, the collection has no documents or no vectors, or the model does not belong to it.
        InputError: the folder or file holds no documents.
        UsageError: a model is given for a service, which has its own, or a token for a path.
    """
    if isinstance(place, str) and place.startswith(("http://", "https://")):
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


class _Local:
    """A collection of this machine; questions wait for each other."""

    def __init__(self, loaded: LoadedCollection) -> None:
        self._loaded, self._lock = loaded, Lock()

    def search(
        self,
        question: str,
        k: int = SEARCH_PASSAGES,
        *,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
    ) -> SearchRecord:
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
        with self._lock:
            self._loaded.model.require_reader()
            retrieved = self._retrieve(question, k, retriever, where)
            (read,) = self._loaded.read([retriever], [question], [retrieved.hits], thorough=thorough)
        return ask_record(question, retriever, retrieved, read=read, answers=answers)

    def close(self) -> None:
        with self._lock:
            self._loaded.collection.close()

    def _retrieve(self, question: str, k: int, retriever: str, where: str | None) -> Retrieved:
        check_k(k)
        check_retriever(retriever)
        check_where(where)
        return self._loaded.retrieve(retriever, [question], k, where)[0]


class _Remote:
    """A service; each thread that asks has a connection of its own while it waits."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url, self._token = url, token
        self._idle = deque([Client(url, token)])  # now, because a wrong address should be reported where it is given

    def search(
        self,
        question: str,
        k: int = SEARCH_PASSAGES,
        *,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
    ) -> SearchRecord:
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
        with self._client() as client:
            return client.ask(question, k, answers=answers, retriever=retriever, where=where, thorough=thorough)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _client(self) -> Iterator[Client]:
        """A connection that nobody uses, or a new one."""
        try:
            client = self._idle.pop()
        except IndexError:
            client = Client(self._url, self._token)
        try:
            yield client
        finally:
            self._idle.append(client)
