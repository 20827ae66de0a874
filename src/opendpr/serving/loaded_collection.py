"""What finds and what reads, each for one thread: retrieval owns the collection's connection, reading none."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opendpr.answering.pipeline import Answerer
from opendpr.choices import DEFAULT_RETRIEVER
from opendpr.collection import Collection
from opendpr.collection.rows import EncoderRow
from opendpr.errors import BusyError, CorruptionError, OpendprError, ResourceError, StateError
from opendpr.model.directory import find_model
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.model.spans import log_softmax
from opendpr.search.settings import SearchSettings
from opendpr.serving.layouts import Layout, Layouts
from opendpr.serving.places import Place, Stored, unreadable_is_missing
from opendpr.types import Hit, Outcome, Passage, Span

logger = logging.getLogger(__name__)

SEARCH_ATTEMPTS = 5
"""How often a search is repeated because its documents were replaced before they were described."""


class Retrieved(NamedTuple):
    """The passages of one question, with what describes them."""

    hits: list[Hit]
    ids: dict[int, str]
    """The public id of each passage, by its number."""
    layouts: dict[str, Layout]
    version: int
    missing: tuple[str, ...]
    """Servers, or members of a set, that were not there: their share of the passages cannot be among these."""


class Read(NamedTuple):
    """What the reader made of the passages of one question."""

    outcome: Outcome
    scores: dict[int, float]
    """Log P_selected of each passage that was read, by its number."""


class LoadedCollection:
    """A collection and its model, opened to answer many questions.

    `retrieve` is called from one thread, `read` from one that may be another.

    Args:
        model: name or directory; None is the one that the collection was encoded with, also after a change.
        search: how the collection is searched, and with which engine
        place: where the collection is read; None is the directory

    Raises:
        StateError: there is no collection, it is empty, or the model does not fit it.
    """

    def __init__(
        self,
        directory: Path,
        model: str | None,
        runtime: RuntimeSettings,
        *,
        search: SearchSettings = SearchSettings(),
        place: Place | None = None,
    ) -> None:
        self.directory, self._name, self._runtime = directory, model, runtime
        self._search, self._place = search, place or Stored(directory, allow_partial=search.allow_partial)
        self._open()
        if not self.collection.has_documents():
            raise StateError(f"{directory} holds no documents; add some with 'opendpr add'")

    def _open(self) -> None:
        """Open the collection that is there now, with the model that it needs now."""
        collection = self._place.open()
        try:
            file = self._place.identity(collection.missing)
            encoder = _required_encoder(collection)
            model = find_model(self._name or encoder.model)
            answerer = Answerer(collection, model, runtime=self._runtime, search=self._search)
        except OpendprError:
            collection.close()
            raise
        self.collection, self._file, self.model, self._stored_model = collection, file, model, encoder.model
        self._answerer, self._layouts = answerer, Layouts(collection, answerer.version)

    def _reopen(self) -> None:
        """Open again; if that fails, all is as before, so that the next question tries again."""
        before = self.collection
        self._open()
        before.close()

    @property
    def missing(self) -> tuple[str, ...]:
        """Servers, or members of a set, that the last search went without."""
        return self._answerer.missing

    @property
    def can_read(self) -> bool:
        """Whether the model has a reader."""
        return self.model.reader is not None

    def warm_up(self) -> None:
        """Load what the first question needs, once; networks one after the other, as they are tried out."""
        resolved(self._runtime)
        self.retrieve(DEFAULT_RETRIEVER, ["opendpr"], 1, None)
        if self.can_read:
            self.read([DEFAULT_RETRIEVER], ["opendpr"], [[Hit(Passage(0, "", "", "opendpr", 0), 0.0)]])

    def retrieve(self, kind: str, questions: Sequence[str], k: int, where: str | None) -> list[Retrieved]:
        """The passages for each question, in the collection's newest state.

        Raises:
            BusyError: the collection changes faster than it can be searched, or a member of a set cannot be read.
            StateError: it was given a model that is not here.
            UsageError: the filter cannot be understood.
        """
        with unreadable_is_missing(self.directory):
            try:
                self._follow()
                return self._retrieve(kind, questions, k, where)
            except (BusyError, CorruptionError, ResourceError):
                if not self._place.has_lost_part(self.collection):
                    raise
                self._reopen()  # without a member that cannot be read, if that is allowed
                return self._retrieve(kind, questions, k, where)

    def _retrieve(self, kind: str, questions: Sequence[str], k: int, where: str | None) -> list[Retrieved]:
        for _ in range(SEARCH_ATTEMPTS):
            lists = self._answerer.retrieve(questions, k, where, retriever=kind)
            if self._layouts.version != self._answerer.version:
                self._layouts = Layouts(self.collection, self._answerer.version)
            layouts = self._layouts.of_documents(hit.passage.document_id for hits in lists for hit in hits)
            passages = {hit.passage.number: hit.passage for hits in lists for hit in hits}
            if all(passage.document_id in layouts for passage in passages.values()):
                ids = self.collection.passage_ids(list(passages.values()))
                version, missing = self._answerer.version, self._answerer.missing
                bordered = self._answerer.with_borders(lists)
                return [Retrieved(hits, ids, layouts, version, missing) for hits in bordered]
            self._follow()
        raise BusyError(f"{self.directory} changes too fast to be searched; try again")

    def read(
        self,
        kinds: Sequence[str],
        questions: Sequence[str],
        lists: Sequence[Sequence[Hit]],
        *,
        thorough: bool = False,
    ) -> list[Read]:
        """Answers to each question from its passages, which `retrieve` found with a retriever of that kind.

        Args:
            thorough: read all passages, also where the first are enough to be sure of an answer

        Raises:
            StateError: the model has no reader.
        """
        answerer = self._answerer  # the same one throughout, if another thread changes to another model meanwhile
        if thorough:
            spans = answerer.read_bordered(questions, lists)
        else:
            spans = answerer.read_until_sure(questions, lists, kinds)
        return [
            Read(answerer.outcome(own, question, retriever=kind), _selection(own))
            for kind, question, own in zip(kinds, questions, spans, strict=True)
        ]

    def _follow(self) -> None:
        """Take up what others did: changes, new caches, another model, another collection in the same place."""
        if self._file != self._place.identity(self.collection.missing):
            logger.info("%s is another collection now: opening it again", self.directory)
            self._reopen()
            return
        if self._answerer.is_current():
            return
        row = self.collection.require_encoder()
        is_other = self._name is None and row.model != self._stored_model  # the same networks, weighed differently
        if is_other or row.fingerprint != self.model.fingerprint:
            logger.info("%s was given another model: opening it again", self.directory)
            self._reopen()
        else:
            self._answerer.refresh()


def _selection(spans: Sequence[Span]) -> dict[int, float]:
    """Log P_selected of each passage that has a span, by number."""
    best: dict[int, float] = {}
    for span in spans:
        number = span.hit.passage.number
        best[number] = max(best.get(number, -math.inf), span.passage_score)
    scores = log_softmax(np.array(list(best.values()), np.float32)) if best else ()
    return dict(zip(best, map(float, scores), strict=True))


def _required_encoder(collection: Collection) -> EncoderRow:
    """The encoder of the vectors; raises StateError if there are none."""
    row = collection.encoder()
    if row is None:
        raise StateError(
            f"{collection.directory} holds no vectors, which are needed to open it for many questions; make them with "
            f"'opendpr encode {collection.directory}'"
        )
    return row
