"""Which page answers which address, without a web framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

from opendpr.choices import DEFAULT_RETRIEVER, RETRIEVERS
from opendpr.errors import InputError, OpendprError, UsageError
from opendpr.serving.batching import FullError
from opendpr.serving.page.answers import SearchForm, answers_page
from opendpr.serving.page.document import MarkedRanges, document_page, window
from opendpr.serving.page.examples import example_questions
from opendpr.serving.page.login import TOKEN_COOKIE, login_page
from opendpr.serving.page.passages import has_lines
from opendpr.serving.page.reference import reference_page
from opendpr.serving.problems import of_error
from opendpr.serving.records import REQUEST_LIMITS, AskRecord, InfoRecord, SearchRecord
from opendpr.serving.rendering import render
from opendpr.serving.service import Service, Wanted
from opendpr.serving.tokens import find_token

SHOWN_ANSWERS = 6
"""Answers shown on the page."""
LINED_DOCUMENTS = 10
"""Plain texts that are read for the lines of their passages."""
SAMPLED_DOCUMENTS = 12
"""Documents that example questions are made from."""

Query = Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """The answer to a browser."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def _page(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Page:
    return Page(text.encode("utf-8", "replace"), status, headers or {})


class Site:
    """The pages of a service.

    Args:
        openapi: gives the description of the API
    """

    def __init__(self, service: Service, openapi: Callable[[], dict[str, Any]]) -> None:
        self._service, self._openapi = service, openapi
        self._kept_examples: tuple[int, Sequence[str]] | None = None

    async def ask(self, query: Query) -> Page:
        """The question, and what came of it."""
        info = await self._service.info()
        form = SearchForm()
        try:
            form = _form(query)
            if not form.q:
                return _page(answers_page(form, info, None, examples=await self._examples(info)))
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
            return _page(answers_page(shown, info, None, (heading, detail)), status, headers)
        return _page(answers_page(form, info, result, lines=await self._lines(result)))

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

    async def document(self, query: Query) -> Page:
        """A document, with what is marked in it."""
        info = await self._service.info()
        try:
            places = MarkedRanges(_place(query, "start", "end"), _place(query, "from", "to"))
            start, end = window(places, _number(query, "first") or 0)
            record = await self._service.document(query.get("id", ""), start, end)
        except OpendprError as error:
            status, detail, headers = of_error(error)
            heading = "No such document" if isinstance(error, InputError) else "That cannot be shown"
            return _page(
                render("problem.html.jinja", collection=info.collection, heading=heading, detail=detail),
                status,
                headers,
            )
        return _page(document_page(record, places, info.collection))

    def reference(self, base: str) -> Page:
        """The API."""
        return _page(reference_page(self._openapi(), base))

    def login(self, body: bytes, *, secure: bool) -> Page:
        """Keep the token in a cookie that scripts cannot read, and go on to the page that was asked for."""
        form = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        target, token = _local(form.get("next", "/")), form.get("token", "").strip()
        is_valid = find_token(self._service.settings.tokens, token) is not None
        if not is_valid or not token.isascii() or set(token) & set('";, \\'):
            return _page(login_page(target, wrong=True), 401)
        cookie = f"{TOKEN_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict" + "; Secure" * secure
        return Page(b"", 303, {"Location": target, "Set-Cookie": cookie})


def _local(target: str) -> str:
    """A path of this site's pages; whatever else it is becomes the first page."""
    parts = urlsplit(target)
    is_page = not parts.scheme and not parts.netloc and parts.path in ("/", "/document", "/docs")
    return target if is_page and target.isascii() and target.isprintable() and not target.startswith("//") else "/"


def _form(query: Query) -> SearchForm:
    retriever = query.get("retriever", DEFAULT_RETRIEVER)
    if retriever not in RETRIEVERS:
        raise UsageError(f"the retriever must be one of {', '.join(RETRIEVERS)}, got {retriever!r}")
    k = _number(query, "k")
    k = SearchForm.k if k is None else k
    if not 1 <= k <= REQUEST_LIMITS["k"]:
        raise UsageError(f"k must be from 1 to {REQUEST_LIMITS['k']:,}, got {k:,}")
    question = " ".join(query.get("q", "").split())
    return SearchForm(question, retriever, k, query.get("where", "").strip(), query.get("scores") == "1")


def _number(query: Query, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise UsageError(f"{name} must be a whole number, got {text[:20]!r}")
    return int(text)


def _place(query: Query, first: str, last: str) -> tuple[int, int] | None:
    start, end = _number(query, first), _number(query, last)
    return (start, end) if start is not None and end is not None and start < end else None
