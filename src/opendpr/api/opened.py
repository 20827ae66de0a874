"""A collection opened in Python: asked, searched and changed through one object."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

from opendpr.answering import Answerer, open_answerer
from opendpr.api import changes
from opendpr.api.arguments import Several, check_index, check_k, check_retriever, check_where, strings
from opendpr.api.judging import JudgedWords, judge_words
from opendpr.api.sources import DocumentSource
from opendpr.choices import READ_PASSAGES, SEARCH_PASSAGES, IndexName, needs_vectors
from opendpr.cluster.place import encoders
from opendpr.collection import Collection, open_collection
from opendpr.collection.backup import write_backup
from opendpr.collection.judgements import Judgement, VerdictName, judgements
from opendpr.collection.rows import ListedDocument
from opendpr.errors import UsageError
from opendpr.maintenance.add import AddReport, AddSettings
from opendpr.maintenance.verify import verify
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.built import BuiltIndex
from opendpr.search.settings import INDEX_RECALL, SearchSettings
from opendpr.types import Answer, Document, Hit, Outcome


class OpenCollection:
    """A collection to ask, to search and to change; made by `opendpr.open`.

    It follows what other processes change. Close it with `with` or `close()`. Wherever a path of a collection is
    taken, it is taken too.

    Attributes:
        directory: where the collection is
        retriever: what finds passages where a call does not say
        model: name or directory; None is the one that the collection was encoded with
        runtime: what runs the networks
    """

    def __init__(
        self,
        directory: Path,
        model: str | None,
        *,
        retriever: str,
        runtime: RuntimeSettings,
        folder: Path | None = None,
        search: SearchSettings = SearchSettings(),
    ) -> None:
        """Open what is there; a collection without vectors is refused when it is first asked.

        Args:
            folder: the folder of documents that this is the cache of
            search: how it is searched, and with which engine
        """
        self.directory, self.retriever, self.runtime = directory, retriever, runtime
        self.model, self._folder, self._search = model, folder, search
        self._store: Collection | None = open_collection(directory, allow_partial=search.allow_partial)
        self._encoder: BertEncoder | None = None
        self._answerer: Answerer | None = None
        if self._store.has_documents() and (not needs_vectors(retriever) or self._store.encoder()):
            self._ready(retriever)  # now, because a wrong model should be reported where it was named

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
        question: Several,
        k: int = READ_PASSAGES,
        where: str | None = None,
        *,
        retriever: str | None = None,
        thorough: bool = False,
    ) -> list[Outcome]: ...

    def ask(
        self,
        question: str | Several,
        k: int = READ_PASSAGES,
        where: str | None = None,
        *,
        retriever: str | None = None,
        thorough: bool = False,
    ) -> Outcome | list[Outcome]:
        """Answers from the k passages that fit a question best; for several questions a list of them.

        Args:
            k: most passages read
            where: a filter on the metadata of documents, as `year >= 2019`
            thorough: read all k, also where the first are enough to be sure of an answer; for what else might answer

        Raises:
            UsageError: a question is empty or too long, or the filter cannot be understood.
            StateError: the collection has no documents or no vectors, or the model has no reader.
            TypeError: a question is not a string.
        """
        kind, answerer = self._choose(retriever)
        check_k(k)
        check_where(where)
        if isinstance(question, str):
            return answerer.ask(question, k, where, retriever=kind, thorough=thorough)
        return answerer.ask(strings(question), k, where, retriever=kind, thorough=thorough)

    @overload
    def search(
        self, question: str, k: int = SEARCH_PASSAGES, where: str | None = None, *, retriever: str | None = None
    ) -> list[Hit]: ...

    @overload
    def search(
        self, question: Several, k: int = SEARCH_PASSAGES, where: str | None = None, *, retriever: str | None = None
    ) -> list[list[Hit]]: ...

    def search(
        self,
        question: str | Several,
        k: int = SEARCH_PASSAGES,
        where: str | None = None,
        *,
        retriever: str | None = None,
    ) -> list[Hit] | list[list[Hit]]:
        """The k passages that fit a question best, best first; for several questions a list of them.

        Args:
            where: a filter on the metadata of documents, as `year >= 2019`

        Raises:
            UsageError: a question is empty or too long, or the filter cannot be understood.
            StateError: the collection has no documents, or no vectors and the retriever needs them.
            TypeError: a question is not a string.
        """
        kind, answerer = self._choose(retriever)
        check_k(k)
        check_where(where)
        if isinstance(question, str):
            return answerer.search(question, k, where, retriever=kind)
        return answerer.retrieve(strings(question), k, where, retriever=kind)

    @property
    def missing(self) -> tuple[str, ...]:
        """Servers of the engine, or members of a set, that the last question went without; none unless allowed."""
        return self._answerer.missing if self._answerer else ()

    def document(self, id: str) -> Document:
        """A document with its whole text.

        Raises:
            InputError: no document has that id.
        """
        return self._opened.document(id)

    def documents(self) -> Iterator[ListedDocument]:
        """Id, title, passages and characters of every document, in order of id."""
        return self._opened.summaries()

    def counts(self) -> dict[str, int]:
        """How many `documents`, `passages`, `vectors`, and passages `to_encode`."""
        return self._opened.counts()

    def __len__(self) -> int:
        """How many documents."""
        return self.counts()["documents"]

    def __contains__(self, id: object) -> bool:
        """Whether there is a document of that id."""
        return isinstance(id, str) and self._opened.has_document(id)

    def add(
        self, sources: DocumentSource | Iterable[DocumentSource], *, vectors: bool = True, sync: bool = False
    ) -> AddReport:
        """Add documents, or replace those of the same id.

        Args:
            sources: as for `opendpr.add`
            vectors: False leaves the passages to BM25, until a later `add` or `encode`
            sync: also remove documents that came from the folders among the sources and are gone from them

        Raises:
            InputError: a path does not exist, or a dict lacks id or text.
            UsageError: this is a folder of documents, which the files in it make.
            BusyError: another process writes.
        """
        self._refuse_folder("add documents")
        row = self._opened.encoder()
        settings = AddSettings(None if row or not vectors else self.model, vectors, self.runtime)
        report = changes.add_sources(self.directory, sources, settings, sync=sync, load=self._load)
        if row is None:
            self._close_answerer()  # one that needed no vectors knows no model
        return report

    def remove(self, ids: str | Sequence[str] | None = None, *, where: str | None = None) -> list[str]:
        """Remove documents by id or by filter; returns their ids. If one id is unknown, nothing is removed."""
        self._refuse_folder("remove documents")
        return changes.remove(self._opened.directory, ids, where)

    def encode(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        keep_old: bool = False,
        on: str | None = None,
        workers: int | None = None,
    ) -> int:
        """Encode all passages with a model, then use that one; returns how many were encoded.

        Args:
            model: name or directory; None is the collection's, or the default
            keep_old: keep the old vectors, to switch back cheaply
            on, workers: as for `opendpr.add`
        """
        self._refuse_folder("encode")
        directory, name = self._opened.directory, None if model is None else os.fspath(model)
        with encoders(on, workers) as load:
            encoded = changes.encode(directory, name, keep_old=keep_old, runtime=self.runtime, load=load)
        self.model = name
        self._close_answerer()
        return encoded

    def optimize(
        self, index: IndexName = "auto", *, recall: float = INDEX_RECALL, memory_bytes: int | None = None
    ) -> BuiltIndex | None:
        """Rebuild the search caches, after many changes.

        Args:
            index: how vectors are searched; `auto`: as they are, or as `opendpr plan` would
            recall: share of the best passages that an approximate index must find
            memory_bytes: that may be used; None means what the machine has

        Returns:
            What is known of the approximate index; None if every vector is scanned.
        """
        check_index(index, recall)
        return changes.optimize(self._opened.directory, index, recall=recall, memory_bytes=memory_bytes)

    def judge(
        self, question: str, verdict: VerdictName, words: JudgedWords | None = None, *, shown: Answer | None = None
    ) -> Judgement:
        """Store whether an answer is right, for `judgements` and `opendpr.improve`.

        Args:
            verdict: `right`, `wrong`, or `better` for other words than were shown
            words: those that are right, wrong or better: an answer, or (document id, start, end); None where "no answer
                found" is judged
            shown: the answer that was shown, where `words` is not the one

        Raises:
            UsageError: the question is empty or too long, or there are no words at that place; or this is a folder.
            InputError: there is no such document.
        """
        self._refuse_folder("judge answers")
        directory = self._opened.directory
        return judge_words(directory, question, verdict, words, shown=shown, answerer=self._answerer)

    def judgements(self) -> list[Judgement]:
        """What was said of answers, in that order; `state` says whether the document still has the words."""
        return judgements(self._opened)

    def verify(self) -> list[str]:
        """Read every byte and compare it with its checksum; what is damaged, an empty list if nothing is."""
        return verify(self._opened)

    def backup(self, destination: str | os.PathLike[str]) -> int:
        """Copy the collection, as one of its states, to a new directory; returns the version copied.

        Raises:
            StateError: the destination exists.
        """
        return write_backup(self._opened, Path(destination))

    def close(self) -> None:
        """Close the files; can be called twice."""
        self._close_answerer()
        if self._store is not None:
            self._store.close()
            self._store = None

    def __enter__(self) -> OpenCollection:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __fspath__(self) -> str:
        return str(self.directory)

    def __repr__(self) -> str:
        return f"<opendpr collection {str(self._folder or self.directory)!r}{'' if self._store else ', closed'}>"

    @property
    def _opened(self) -> Collection:
        if self._store is None:
            raise UsageError(f"{self._folder or self.directory} was closed; open it again")
        return self._store

    def _choose(self, retriever: str | None) -> tuple[str, Answerer]:
        """The retriever to use, and what answers with it."""
        kind = retriever or self.retriever
        check_retriever(kind)
        return kind, self._ready(kind)

    def _ready(self, kind: str) -> Answerer:
        """What answers with all retrievers, opened when first asked; it follows the collection."""
        if self._answerer is None:
            directory = self._opened.directory
            self._answerer = open_answerer(
                directory, self.model, retriever=kind, runtime=self.runtime, search=self._search
            )
        elif needs_vectors(kind):
            self._opened.require_encoder()
        return self._answerer

    def _load(self, model: Model, runtime: RuntimeSettings) -> BertEncoder:
        """The encoder that adds documents: the one that encodes questions where the model is the same."""
        if self._answerer is not None and self._answerer.model.fingerprint == model.fingerprint:
            return self._answerer.encoder
        if self._encoder is None or self._encoder.model.fingerprint != model.fingerprint:
            self._encoder = BertEncoder(model, runtime)
        return self._encoder

    def _close_answerer(self) -> None:
        if self._answerer is not None:
            self._answerer.collection.close()
            self._answerer = None

    def _refuse_folder(self, what: str) -> None:
        if self._folder is not None:
            raise UsageError(
                f"'{self._folder}' was opened as a folder, whose documents are its files; to {what} otherwise, make a "
                f"collection of it: opendpr.add('NAME', '{self._folder}')"
            )
