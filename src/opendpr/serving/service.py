"""The service without HTTP: questions in, records out, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from typing import NamedTuple, TypeVar

import opendpr
from opendpr.answering import check_question
from opendpr.choices import DEFAULT_RETRIEVER, READ_PASSAGES, RETRIEVERS, needs_vectors
from opendpr.collection import Collection
from opendpr.collection.listing import Listing, list_documents
from opendpr.collection.lookup import sample_outlines
from opendpr.collection.selection import metadata_keys
from opendpr.collection.where import compile_where
from opendpr.errors import InputError, OpendprError, UsageError
from opendpr.serving.batching import Batcher, FullError
from opendpr.serving.describing import ask_record, passage_records
from opendpr.serving.improving import Improvements
from opendpr.serving.jobs import Jobs
from opendpr.serving.judging import Judgements
from opendpr.serving.loaded_collection import LoadedCollection, Read, Retrieved
from opendpr.serving.places import Looking, place_of, unreadable_is_missing
from opendpr.serving.records import (
    REQUEST_LIMITS,
    AskRecord,
    DocumentRecord,
    DocumentsRecord,
    InfoRecord,
    JobRecord,
    SearchRecord,
    SummaryRecord,
)
from opendpr.serving.rest import RestEncoder
from opendpr.serving.settings import Settings
from opendpr.text.places import Outline
from opendpr.types import Hit
from opendpr.wording import counted

SEARCH_BATCH_QUESTIONS, SEARCH_ROOM_QUESTIONS = 16, 64
"""Questions in one search, and questions that may wait or be in a search."""
READ_BATCH_QUESTIONS, ASK_ROOM_QUESTIONS = 2, 32
"""Questions in one reading, and questions that may be between question and answer."""

Result = TypeVar("Result")
OnBatch = Callable[[str, int], None]
"""Called with a stage, `search` or `read`, and the number of questions in a batch."""


class Wanted(NamedTuple):
    """A question and how it is to be searched for."""

    question: str
    retriever: str = DEFAULT_RETRIEVER
    k: int = READ_PASSAGES
    where: str | None = None
    thorough: bool = False
    """Whether all k are read, also where the first are enough to be sure of an answer."""


class Service:
    """Answers from one collection; everything that answering needs is loaded at the start.

    Raises:
        OpendprError: the collection or the model cannot be opened, or do not fit each other.
    """

    def __init__(self, settings: Settings, *, on_batch: OnBatch = lambda stage, questions: None) -> None:
        self.settings = settings
        place = place_of(settings)
        self.loaded = LoadedCollection(
            settings.collection, settings.model, settings.runtime, search=settings.search, place=place
        )
        self.jobs = Jobs(settings.collection, settings.model, settings.runtime) if settings.writable else None
        self.judgements = Judgements(settings.collection, self.loaded) if settings.takes_judgements else None
        self.improvements = (
            Improvements(settings.collection, settings.runtime, self.jobs, refusal=settings.improving_refusal)
            if self.judgements
            else None
        )
        most = 1 if settings.one_by_one else None
        self._searches: Batcher[Wanted, Retrieved] = Batcher(
            self._search_work,
            most=most or SEARCH_BATCH_QUESTIONS,
            room=SEARCH_ROOM_QUESTIONS,
            on_batch=partial(on_batch, "search"),
        )
        self._readings: Batcher[tuple[Wanted, list[Hit]], Read] = Batcher(
            self._read_work,
            most=most or READ_BATCH_QUESTIONS,
            room=ASK_ROOM_QUESTIONS,
            on_batch=partial(on_batch, "read"),
        )
        self._lookups = ThreadPoolExecutor(max_workers=1)
        self._looking = Looking(place)
        self._asking = 0
        self._info: tuple[object, InfoRecord] | None = None
        self.loaded.warm_up()
        self._rest = RestEncoder(settings.collection, settings.model, settings.runtime) if settings.is_partial else None

    @property
    def searching(self) -> int:
        """Questions that wait for a search or are in one."""
        return self._searches.depth

    @property
    def asking(self) -> int:
        """Questions between question and answer."""
        return self._asking

    @property
    def missing(self) -> int:
        """Servers, or members of a set, that the last search went without."""
        return len(self.loaded.missing)

    async def resume(self) -> None:
        """Encode what an interrupted run left."""
        if self.jobs is not None and (await self.info()).passages_without_vector:
            self.jobs.put(())

    def close(self) -> None:
        """End the threads, the one that writes last."""
        self._searches.close()
        self._readings.close()
        if self._rest is not None:
            self._rest.close()
        self._lookups.shutdown(wait=True)
        if self.jobs is not None:
            self.jobs.close()

    def job(self, id: str) -> JobRecord:
        """A change of the collection.

        Raises:
            InputError: no job has this id.
        """
        job = self.jobs.get(id) if self.jobs else None
        if job is None:
            raise InputError(f"there is no job {id!r}; jobs are forgotten when the service ends")
        return job

    async def search(self, wanted: Wanted) -> SearchRecord:
        """The passages that fit a question best.

        Raises:
            FullError: too many questions wait.
            OpendprError: the question cannot be searched for.
        """
        retrieved = await self._find(wanted)
        passages, missing = passage_records(retrieved, {}), list(retrieved.missing)
        return SearchRecord(wanted.question, wanted.retriever, retrieved.version, passages, missing)

    async def ask(self, wanted: Wanted, answers: int) -> AskRecord:
        """The best answers to a question, and the passages they are from; raises as `search`."""
        self.loaded.model.require_reader()
        seconds = self._readings.expected_seconds(self._asking + 1)
        if self._asking >= ASK_ROOM_QUESTIONS or (self._asking and seconds > self.settings.most_seconds):
            raise FullError(max(1.0, seconds - self.settings.most_seconds))
        self._asking += 1
        try:
            retrieved = await self._find(wanted)
            read = await self._readings((wanted, retrieved.hits))
        finally:
            self._asking -= 1
        return ask_record(wanted.question, wanted.retriever, retrieved, read=read, answers=answers)

    async def _find(self, wanted: Wanted) -> Retrieved:
        check_question(wanted.question)
        if wanted.where is not None:
            compile_where(wanted.where)  # a wrong filter is refused before it waits
        return await self._searches(wanted)

    def _search_work(self, items: Sequence[Wanted]) -> list[Retrieved | OpendprError]:
        """Search at once for the questions that have the same retriever, k and filter."""
        groups: dict[tuple[str, int, str | None], list[int]] = {}
        for place, item in enumerate(items):
            groups.setdefault((item.retriever, item.k, item.where), []).append(place)
        results: dict[int, Retrieved | OpendprError] = {}
        for (kind, k, where), places in groups.items():
            retrieved: Sequence[Retrieved | OpendprError]
            questions = [items[place].question for place in places]
            try:
                with self._rest.making_way(questions, where) if self._rest and needs_vectors(kind) else nullcontext():
                    retrieved = self.loaded.retrieve(kind, questions, k, where)
            except OpendprError as error:
                retrieved = [error] * len(places)
            results.update(zip(places, retrieved, strict=True))
        return [results[place] for place in range(len(items))]

    def _read_work(self, items: Sequence[tuple[Wanted, list[Hit]]]) -> list[Read]:
        """Read at once for the questions of which all passages are read, and for the others."""
        results: dict[int, Read] = {}
        for thorough in (False, True):
            places = [place for place, (wanted, _) in enumerate(items) if wanted.thorough == thorough]
            if places:
                chosen = [items[place] for place in places]
                kinds, questions = [wanted.retriever for wanted, _ in chosen], [wanted.question for wanted, _ in chosen]
                read = self.loaded.read(kinds, questions, [hits for _, hits in chosen], thorough=thorough)
                results.update(zip(places, read, strict=True))
        return [results[place] for place in range(len(items))]

    async def info(self) -> InfoRecord:
        """What the collection holds and what this service accepts."""
        return await self.look(self._read_info)

    def _read_info(self, collection: Collection) -> InfoRecord:
        version = collection.version()
        if self._info is None or self._info[0] != version:  # counting scans every row
            counts, row = collection.counts(), collection.encoder()
            record = InfoRecord(
                opendpr=opendpr.__version__,
                collection=self.settings.shown_name,
                collection_id=collection.id,
                collection_version=version.version,
                documents=counts["documents"],
                passages=counts["passages"],
                passages_without_vector=counts["to_encode"],
                model=row.model if row else "",
                fingerprint=row.fingerprint if row else "",
                answers=self.loaded.can_read,
                writable=self.settings.writable,
                retrievers=list(RETRIEVERS),
                metadata_keys=metadata_keys(collection),
                limits=dict(REQUEST_LIMITS),
                judgements=self.settings.takes_judgements,
                improvements=self.settings.takes_judgements and not self.settings.improving_refusal,
                missing=list(collection.missing),
            )
            self._info = (version, record)
        return self._info[1]

    async def documents(self, listing: Listing, after: str, limit: int) -> DocumentsRecord:
        """The documents of a list whose id follows `after`.

        Raises:
            UsageError: the filter cannot be understood.
        """

        def read(collection: Collection) -> DocumentsRecord:
            listed = list_documents(collection, listing, after=after, limit=limit + 1)
            records = [SummaryRecord(**asdict(summary)) for summary in listed[:limit]]
            following = records[-1].id if len(listed) > limit else None
            return DocumentsRecord(records, following, list(collection.missing))

        return await self.look(read)

    async def sample(self, documents: int) -> list[Outline]:
        """The outlines of a few documents, spread over the collection."""
        return await self.look(lambda collection: sample_outlines(collection, documents))

    async def has_document(self, id: str) -> bool:
        """Whether there is a document of that id."""
        return await self.look(lambda collection: collection.has_document(id))

    async def document(self, id: str, start: int, end: int | None) -> DocumentRecord:
        """A document's text, or the part of it from `start` to `end`.

        Raises:
            InputError: there is no such document.
            UsageError: it has no such part.
        """
        document = await self.look(lambda collection: collection.document(id) if collection.has_document(id) else None)
        if document is None:
            raise InputError(f"there is no document {id!r}; GET /v1/documents lists them")
        length = len(document.text)
        last = length if end is None else min(end, length)
        if start > last:
            raise UsageError(f"{id!r} has {counted(length, 'character')}; there are none from {start:,} to {last:,}")
        text = document.text[start:last]
        return DocumentRecord(id, document.title, dict(document.metadata), length, start, last, text)

    async def look(self, read: Callable[[Collection], Result]) -> Result:
        """Read from the collection through a connection of its own, so that searches do not wait."""

        def work() -> Result:
            with unreadable_is_missing(self.settings.collection):
                return self._looking.read(read)

        return await asyncio.get_running_loop().run_in_executor(self._lookups, work)
