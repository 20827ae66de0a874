"""What finds and what reads, each for one thread: retrieval owns the collection's connection, reading none."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opendpr.answering.asked import asked
from opendpr.answering.borders import with_borders
from opendpr.answering.decoder import Decoder
from opendpr.choices import RETRIEVERS
from opendpr.collection import open_collection
from opendpr.collection.database import DATABASE
from opendpr.errors import BusyError, OpendprError, StateError
from opendpr.model.directory import Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.model.spans import log_softmax
from opendpr.protocols import Retriever
from opendpr.search.copies import DistinctRetriever
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import make_retriever
from opendpr.search.settings import EngineSettings, SearchSettings
from opendpr.serving.places import Layout, Layouts
from opendpr.types import Hit, Outcome, Passage, Span

logger = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often a search is repeated because its documents were replaced before they were described."""


class Found(NamedTuple):
    """The passages of one question, with what describes them."""

    hits: list[Hit]
    ids: dict[int, str]
    """The public id of each passage, by its number."""
    layouts: dict[str, Layout]
    version: int
    missing: tuple[str, ...]
    """Servers that did not answer, whose share of the passages cannot be among these."""


class Read(NamedTuple):
    """What the reader made of the passages of one question."""

    outcome: Outcome
    scores: dict[int, float]
    """Log P_selected of each passage that was read, by its number."""


class _ModelReading:
    """The reader of a model, and what its spans mean after each retriever; replaced as a whole with the model."""

    def __init__(self, model: Model, runtime: RuntimeSettings) -> None:
        self._model, self._runtime = model, runtime
        self.decoders: dict[str, Decoder] = {name: Decoder.of(model, name) for name in RETRIEVERS}

    @cached_property
    def reader(self) -> BertReader:
        """The reader, made when first needed, because a model without a reader can still search."""
        return BertReader(self._model, self._runtime)


class Engine:
    """A collection and its model, opened to answer many questions.

    `retrieve` is called from one thread, `read` from one that may be another.

    Args:
        model: name or directory; None is the one that the collection was encoded with, also after a change.
        engine: finds candidates by vectors; None means what lies beside the collection

    Raises:
        StateError: there is no collection, it is empty, or the model does not fit it.
    """

    def __init__(
        self, directory: Path, model: str | None, runtime: RuntimeSettings, *, engine: EngineSettings | None = None
    ) -> None:
        self.directory, self._name, self._runtime = directory, model, runtime
        self._settings = SearchSettings(engine=engine)
        self._open()
        if not self.collection.has_documents():
            raise StateError(f"{directory} holds no documents; add some with 'opendpr add'")

    def _open(self) -> None:
        """Open the collection that is there now, with the model that it needs now."""
        collection = open_collection(self.directory)
        try:
            file = identity(self.directory)
            model = find_model(self._name or collection.require_encoder().model)
            live, encoder = LiveSnapshot(collection, self._settings), BertEncoder(model, self._runtime)
            retrievers: dict[str, Retriever] = {
                kind: DistinctRetriever(make_retriever(kind, live, encoder)) for kind in RETRIEVERS
            }
        except OpendprError:
            collection.close()
            raise
        self.collection, self._file, self.model = collection, file, model
        self._live, self._retrievers = live, retrievers
        self._reading, self._layouts = _ModelReading(model, self._runtime), Layouts(collection, live.version)

    def _reopen(self) -> None:
        """Open again; if that fails, all is as before, so that the next question tries again."""
        before = self.collection
        self._open()
        before.close()

    @property
    def can_read(self) -> bool:
        """Whether the model has a reader."""
        return self.model.reader is not None

    def warm_up(self) -> None:
        """Load what the first question needs, once; networks one after the other, as they are tried out."""
        resolved(self._runtime)
        self.retrieve("hybrid", ["opendpr"], 1, None)
        if self.can_read:
            self.read(["hybrid"], ["opendpr"], [[Hit(Passage(0, "", "", "opendpr", 0), 0.0)]])

    def retrieve(self, kind: str, questions: Sequence[str], k: int, where: str | None) -> list[Found]:
        """The passages for each question, in the collection's newest state.

        Raises:
            BusyError: the collection changes faster than it can be searched.
            StateError: it was given a model that is not here.
            UsageError: the filter cannot be understood.
        """
        self._follow()
        for _ in range(ATTEMPTS):
            lists = self._retrievers[kind].retrieve(questions, k, where)
            if self._layouts.version != self._live.version:
                self._layouts = Layouts(self.collection, self._live.version)
            layouts = self._layouts.of(hit.passage.document_id for hits in lists for hit in hits)
            passages = {hit.passage.number: hit.passage for hits in lists for hit in hits}
            if all(passage.document_id in layouts for passage in passages.values()):
                ids = self.collection.passage_ids(list(passages.values()))
                seen = with_borders(self.collection, lists, self.model)
                return [Found(hits, ids, layouts, self._live.version, self._live.missing) for hits in seen]
            self._follow()
        raise BusyError(f"{self.directory} changes too fast to be searched; try again")

    def read(self, kinds: Sequence[str], questions: Sequence[str], lists: Sequence[Sequence[Hit]]) -> list[Read]:
        """Answers to each question from its passages, which a retriever of that kind found.

        Raises:
            StateError: the model has no reader.
        """
        reading = self._reading  # the same one throughout, if another thread changes to another model meanwhile
        spans = reading.reader.read(questions, lists)
        return [
            Read(reading.decoders[kind].decode(own, asked(question, kind, self._live)), _selection(own))
            for kind, question, own in zip(kinds, questions, spans, strict=True)
        ]

    def _follow(self) -> None:
        """Take up what others did: changes, new caches, another model, another collection in the same place."""
        if self._file != identity(self.directory):
            logger.info("%s is another collection now: opening it again", self.directory)
            self._reopen()
            return
        if self._live.is_current():
            return
        if self.collection.require_encoder().fingerprint != self.model.fingerprint:
            logger.info("%s was given another model: opening it again", self.directory)
            self._reopen()
        else:
            self._live.refresh()


def _selection(spans: Sequence[Span]) -> dict[int, float]:
    """Log P_selected of each passage that has a span, by number."""
    best: dict[int, float] = {}
    for span in spans:
        number = span.hit.passage.number
        best[number] = max(best.get(number, -math.inf), span.passage_score)
    scores = log_softmax(np.array(list(best.values()), np.float32)) if best else ()
    return dict(zip(best, map(float, scores), strict=True))


def identity(directory: Path) -> tuple[int, int]:
    """What stays the same as long as the file is not replaced by another.

    Raises:
        StateError: there is none.
    """
    try:
        status = os.stat(directory / DATABASE)
    except OSError as error:
        raise StateError(
            f"{directory / DATABASE} is gone ({error.strerror}); restore it, or stop the service"
        ) from None
    return status.st_dev, status.st_ino
