"""Errors as RFC 9457 problem details, and as pages for whoever looks with a browser."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from opendpr.errors import BusyError, CorruptionError, InputError, OpendprError, ResourceError, StateError, UsageError
from opendpr.serving.batching import FullError
from opendpr.serving.improving import ConflictError
from opendpr.serving.judging import ForeignJudgementError
from opendpr.serving.page.problem import problem_page
from opendpr.serving.records import Problem

PROBLEM_TYPE = "application/problem+json"
STATUS_OF_ERROR: Sequence[tuple[type[OpendprError], int]] = (
    (ForeignJudgementError, 403),
    (ConflictError, 409),
    (UsageError, 422),
    (InputError, 404),
    (BusyError, 503),
    (StateError, 503),
    (ResourceError, 507),
    (CorruptionError, 500),
    (OpendprError, 500),
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = dict[str, str]


def request_id(scope: Scope) -> str:
    """The id of a request, which every answer carries."""
    return str(scope["state"]["request_id"])


def content(
    scope: Scope,
    status: int,
    detail: str,
    *,
    headers: Headers | None = None,
    errors: list[dict[str, str]] | None = None,
) -> tuple[bytes, Headers]:
    """Body and headers of a problem: a page where the client asks for one, as browsers do."""
    title = HTTPStatus(status).phrase
    if "text/html" in (header(scope, b"accept") or ""):
        page = problem_page(status, detail, request_id(scope)).encode("utf-8", "replace")
        return page, {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
    problem = Problem(title=title, status=status, detail=detail, request_id=request_id(scope), errors=errors or [])
    body = json.dumps(asdict(problem), ensure_ascii=False).encode("utf-8", "replace")
    return body, {"Content-Type": PROBLEM_TYPE, **(headers or {})}


def of_error(error: OpendprError | FullError) -> tuple[int, str, Headers]:
    """Status, detail and headers for what went wrong."""
    if isinstance(error, FullError):
        return 503, str(error), {"Retry-After": str(math.ceil(error.retry_seconds))}
    status = next(status for kind, status in STATUS_OF_ERROR if isinstance(error, kind))
    return status, str(error), {"Retry-After": "1"} if isinstance(error, BusyError) else {}


async def send_problem(scope: Scope, send: Send, status: int, *, detail: str, headers: Headers | None = None) -> None:
    """Answer a request with a problem, before it reaches a route."""
    body, sent = content(scope, status, detail, headers=headers)
    await send_body(send, status, body, sent)


async def send_body(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Answer a request."""
    sent = {"Content-Length": str(len(body)), **headers}
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def header(scope: Scope, name: bytes) -> str | None:
    """A header of a request; `name` is in lower case."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)
