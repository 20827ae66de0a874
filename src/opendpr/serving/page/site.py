"""Which page answers which address, without a web framework."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

from opendpr.choices import DEFAULT_RETRIEVER, RETRIEVERS
from opendpr.collection import Collection
from opendpr.collection.listing import Listing, SharedValue, count_documents, list_documents, shared_values
from opendpr.errors import InputError, OpendprError, UsageError
from opendpr.serving.batching import FullError
from opendpr.serving.page.answers import SearchForm, answers_page
from opendpr.serving.page.document import DocumentView, document_page
from opendpr.serving.page.documents import PAGE_DOCUMENTS, Listed, ListForm, documents_page
from opendpr.serving.page.examples import example_questions
from opendpr.serving.page.improving import ImprovingPages
from opendpr.serving.page.jobs import progress
from opendpr.serving.page.judging import JUDGED, JudgingForms
from opendpr.serving.page.login import TOKEN_COOKIE, login_page
from opendpr.serving.page.page import Page, Query, local_target, number_in, page_of, place_in, sent_to
from opendpr.serving.page.passages import has_lines
from opendpr.serving.page.problem import problem_page
from opendpr.serving.page.reference import reference_page
from opendpr.serving.problems import of_error
from opendpr.serving.records import REQUEST_LIMITS, AskRecord, InfoRecord, JobRecord, SearchRecord
from opendpr.serving.rendering import address
from opendpr.serving.service import Service, Wanted
from opendpr.serving.tokens import find_token

SHOWN_ANSWERS = 6
"""Answers shown on the page."""
LINED_DOCUMENTS = 10
"""Plain texts that are read for the lines of their passages."""
SAMPLED_DOCUMENTS = 12
"""Documents that example questions are made from."""


class Site:
    """The pages of a service.

    Args:
        openapi: gives the description of the API
    """

    def __init__(self, service: Service, openapi: Callable[[], dict[str, Any]]) -> None:
        self._service, self._openapi = service, openapi
        self.judging, self.improving = JudgingForms(service), ImprovingPages(service)
        self._kept_examples: tuple[int, Sequence[str]] | None = None
        self._kept_values: tuple[int, Sequence[SharedValue]] | None = None

    async def ask(self, query: Query, *, may_judge: bool) -> Page:
        """The question, and what came of it."""
        info = await self._service.info()
        info = replace(info, judgements=info.judgements and may_judge)
        form = SearchForm()
        try:
            form = _form(query)
            if not form.q:
                return page_of(answers_page(form, info, None, examples=await self._examples(info)))
            wanted = Wanted(form.q, form.retriever, form.k, form.where or None)
            result: AskRecord | SearchRecord
            if info.answers:
                result = await self._service.ask(wanted, SHOWN_ANSWERS)
            else:
                result = await self._service.search(wanted)
        except (OpendprError, FullError) as error:
            status, detail, headers = of_error(error)
            heading = "Please try again in a moment" if status == 503 else "That cannot be asked"
            shown = SearchForm(
                query.get("q", "")[: REQUEST_LIMITS["question_characters"]],
                form.retriever,
                form.k,
                query.get("where", ""),
                form.scores,
            )
            return page_of(answers_page(shown, info, None, (heading, detail)), status, headers)
        return page_of(answers_page(form, info, result, lines=await self._lines(result)))

    async def _examples(self, info: InfoRecord) -> Sequence[str]:
        """Questions to begin with, made when the collection has changed."""
        if self._kept_examples is None or self._kept_examples[0] != info.collection_version:
            outlines = await self._service.sample(SAMPLED_DOCUMENTS)
            self._kept_examples = (info.collection_version, example_questions(outlines))
        return self._kept_examples[1]

    async def _lines(self, result: AskRecord | SearchRecord) -> dict[tuple[str, int], int]:
        """The lines of places in plain text, which has neither pages nor headings to name them by."""
        spans = [span for answer in getattr(result, "answers", ()) for span in answer.spans[:1]]
        places: dict[str, set[int]] = {}
        for place in (*spans, *result.passages):
            if place.page is None and place.anchor is None and has_lines(place.document_id):
                places.setdefault(place.document_id, set()).add(place.start)
        lines: dict[tuple[str, int], int] = {}
        for id, offsets in islice(places.items(), LINED_DOCUMENTS):
            with suppress(InputError, UsageError):  # it was replaced meanwhile
                text = (await self._service.document(id, 0, max(offsets))).text
                lines |= {(id, offset): text.count("\n", 0, offset) + 1 for offset in offsets}
        return lines

    async def documents(self, query: Query, filters: Sequence[str], *, may_write: bool) -> Page:
        """The list of the documents, and how far a change is that was asked for there."""
        form, listed, change, problem, status = ListForm(), Listed((), 0, ()), None, "", 200
        try:
            if query.get("job"):  # looked at before the list, which so holds what a change that is over has brought
                change = progress(self._service.job(query["job"]))
            info = await self._service.info()
            words = " ".join(query.get("words", "").split())[: REQUEST_LIMITS["words_characters"]]
            form = ListForm(words, tuple(dict.fromkeys(filters)), max(1, number_in(query, "page") or 1))
            listed = await self._listed(form, info)
        except OpendprError as error:
            status, problem, _ = of_error(error)
            info = await self._service.info()
        page = documents_page(form, info, listed, may_write=may_write, change=change, problem=problem)
        return page_of(page, status)

    async def _listed(self, form: ListForm, info: InfoRecord) -> Listed:
        """A page of the list."""

        def read(collection: Collection) -> Listed:
            if self._kept_values is None or self._kept_values[0] != info.collection_version:
                self._kept_values = (info.collection_version, shared_values(collection))
            listing = Listing(form.words, form.where)
            documents = count_documents(collection, listing) if listing != Listing() else info.documents
            summaries = list_documents(collection, listing, limit=PAGE_DOCUMENTS, skip=form.skipped)
            return Listed(summaries, documents, self._kept_values[1])

        return await self._service.look(read)

    def accepted(self, job: JobRecord) -> Page:
        """Send the browser to where it sees how far a change is."""
        return sent_to(address("/documents", "#change", job=job.id))

    async def document(self, query: Query, *, may_write: bool) -> Page:
        """A document, with what is marked in it."""
        info = await self._service.info()
        try:
            places = _document_view(query)
            record = await self._service.document(query.get("id", ""), 0, None)
        except OpendprError as error:
            status, detail, headers = of_error(error)
            return page_of(problem_page(status, detail, "", collection=info.collection), status, headers)
        is_writable = may_write and info.writable
        page = await asyncio.to_thread(document_page, record, places, info, may_write=is_writable)
        return page_of(page)

    async def reference(self, base: str) -> Page:
        """The API; where the collection can be read, its forms ask for what is there."""
        samples: dict[str, object] = {}
        improves = False
        with suppress(OpendprError):
            listed = await self._service.documents(Listing(), "", 1)
            info = await self._service.info()
            improves, questions = info.improvements, await self._examples(info)
            if listed.documents and listed.documents[0].id.isprintable():  # a field of a form holds nothing else
                samples["id"] = listed.documents[0].id
            if questions:
                samples["question"] = questions[0]
        needs_token = bool(self._service.settings.tokens)
        return page_of(reference_page(self._openapi(), base, samples, needs_token=needs_token, improves=improves))

    def login(self, body: bytes, *, secure: bool) -> Page:
        """Keep the token in a cookie that scripts cannot read, and go on to the page that was asked for."""
        form = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        target, token = local_target(form.get("next", "/")), form.get("token", "").strip()
        is_valid = find_token(self._service.settings.tokens, token) is not None
        if not is_valid or not token.isascii() or set(token) & set('";, \\'):
            return page_of(login_page(target, wrong=True), 401)
        cookie = f"{TOKEN_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict" + "; Secure" * secure
        return Page(b"", 303, {"Location": target, "Set-Cookie": cookie})


def _form(query: Query) -> SearchForm:
    retriever = query.get("retriever", DEFAULT_RETRIEVER)
    if retriever not in RETRIEVERS:
        raise UsageError(f"the retriever must be one of {', '.join(RETRIEVERS)}, got {retriever!r}")
    k = number_in(query, "k")
    k = SearchForm.k if k is None else k
    if not 1 <= k <= REQUEST_LIMITS["k"]:
        raise UsageError(f"k must be from 1 to {REQUEST_LIMITS['k']:,}, got {k:,}")
    question = " ".join(query.get("q", "").split())
    judged = query.get("judged", "")
    return SearchForm(
        *(question, retriever, k, query.get("where", "").strip(), query.get("scores") == "1"),
        judged=judged if JUDGED.fullmatch(judged) else "",
    )


def _document_view(query: Query) -> DocumentView:
    """What of a document an address asks for."""
    form = _form(query)
    return DocumentView(
        place_in(query, "start", "end"),
        place_in(query, "from", "to"),
        number_in(query, "sheet") or None,
        " ".join(query.get("find", "").split())[: REQUEST_LIMITS["words_characters"]],
        number_in(query, "at") or None,
        form.query if form.q else {},
    )
