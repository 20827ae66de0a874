"""Which requests are let in: by host, origin, token, rate and size. Nothing behind the gate sees a refused one."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import re
import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from opendpr.serving.page.login import FORM_PATHS, PAGE_PATHS, TOKEN_COOKIE, login_page
from opendpr.serving.problems import App, Message, Receive, Scope, Send, header, send_body, send_problem
from opendpr.serving.prometheus_client import Metrics
from opendpr.serving.records import REQUEST_LIMITS
from opendpr.serving.settings import Settings
from opendpr.serving.tokens import find_token

OPEN_PATHS = ("/healthz", "/readyz", "/login")
"""Paths that need no token; those below /static/ need none either."""
WRITTEN_PATHS = ("/v1/documents", "/v1/files", "/v1/judgements", "/v1/improvements", *FORM_PATHS)
"""What a token for reading may not change."""
JOB_PATHS = "/v1/jobs/"
"""Where the pages see how far a change is."""
UPLOAD_PATHS = ("/documents", "/v1/files")
"""Paths that files are sent to, whose bodies may be large: they are not kept in memory."""
BODY_SECONDS = 10
"""Time within which the body of a request must arrive."""
UPLOAD_SECONDS = 300
"""Time within which uploaded files must arrive."""
UPLOADS_AT_ONCE = 4
"""Uploads that may be on their way; they lie on the disk until they are read."""
CLOSING = {"Connection": "close"}
"""Header of an answer after which the rest of a body is not read."""
REMEMBERED_CLIENTS = 10_000
"""Clients whose rate is remembered."""
BURST_SECONDS = 2.0
"""Seconds of requests at the allowed rate that a client may send at once."""


class Refused(Exception):
    """A request that is not let in."""

    def __init__(self, status: int, reason: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail, self.headers = status, reason, detail, headers or {}


class Rate:
    """Requests that each client has left; each second gives new ones.

    Args:
        per_second: 0 is no limit
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, BURST_SECONDS * per_second)
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, client: str, now: float) -> float:
        """Use up one request; if the client has none left, the seconds until it has."""
        if not self._per_second:
            return 0.0
        left, since = self._clients.pop(client, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        allowed = left >= 1
        self._clients[client] = (left - 1 if allowed else left, now)
        if len(self._clients) > REMEMBERED_CLIENTS:
            self._clients.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._per_second


class Gate:
    """The layer before the routes."""

    def __init__(self, app: App, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._rate = Rate(settings.requests_per_second)
        self._uploads = 0
        self._hosts = {"localhost", settings.host.lower(), *(host.lower() for host in settings.hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if scope["path"] not in OPEN_PATHS[:2]:
                self._check_host(header(scope, b"host"))
                self._check_origin(scope)
                self._check_token(scope)
            is_upload = scope["method"] == "POST" and scope["path"] in UPLOAD_PATHS
            received = self._upload(scope, receive) if is_upload else await self._body(scope, receive)
        except Refused as refused:
            self._metrics.count_refusal(refused.reason)
            if refused.status == 401 and scope["method"] == "GET" and scope["path"] in PAGE_PATHS:
                query = scope["query_string"].decode("latin-1")
                page = login_page(f"{scope['path']}?{query}").encode()
                await send_body(send, 401, page, {"Content-Type": "text/html; charset=utf-8"})
            else:
                await send_problem(scope, send, refused.status, detail=refused.detail, headers=refused.headers)
            return
        self._uploads += is_upload
        try:
            await self._app(scope, received, send)
        finally:
            self._uploads -= is_upload

    def _check_host(self, host: str | None) -> None:
        """Refuse host names that are not ours: another site's may have been pointed at this address (DNS rebinding)."""
        name = re.sub(r":\d*$", "", host or "").lower()
        if name in self._hosts or _is_address(name):
            return
        raise Refused(421, "host", f"this service does not answer for the host {name!r}; --allow-host adds a name")

    def _check_origin(self, scope: Scope) -> None:
        """A browser says which site's page sends a request; those of other sites may not change anything or ask."""
        if scope["method"] in ("GET", "HEAD"):
            return
        origin = header(scope, b"origin")
        if origin is None and scope["path"] in FORM_PATHS:
            raise Refused(403, "origin", "this is for the forms of the pages; programs use what /docs describes")
        if origin and urlsplit(origin).netloc != header(scope, b"host"):
            raise Refused(403, "origin", "requests of pages of other sites are refused")

    def _check_token(self, scope: Scope) -> None:
        tokens = self._settings.tokens
        path, method = scope["path"], scope["method"]
        token = find_token(tokens, _given_token(scope, path, method)) if tokens else None
        client = token.sha256 if token else str((scope.get("client") or ("",))[0])
        if wait := self._rate.wait_seconds(client, time.monotonic()):
            detail = f"more than {self._settings.requests_per_second:g} requests a second; wait"
            raise Refused(429, "rate", detail, {"Retry-After": str(math.ceil(wait))})
        state = scope.setdefault("state", {})
        state["may_write"] = not tokens or (token is not None and token.writes)
        state["who"] = token.name if token else ""
        if not tokens or path in OPEN_PATHS or path.startswith("/static/"):
            return
        if token is None:
            detail = "a token is needed: Authorization: Bearer TOKEN"
            raise Refused(401, "token", detail, {"WWW-Authenticate": "Bearer"})
        if _writes(path, method) and not token.writes:
            raise Refused(403, "token", "this token may only read")

    def _upload(self, scope: Scope, receive: Receive) -> Receive:
        """The request with its body as it comes: its length is known, which the server keeps it to."""
        most, length = REQUEST_LIMITS["upload_bytes"], header(scope, b"content-length")
        _refuse_compressed(scope)
        if length is None:
            raise Refused(411, "body", "say how long the body is, with Content-Length", CLOSING)
        if int(length) > most:
            raise Refused(413, "body", f"an upload may have {most:,} bytes; 'opendpr add' takes any size", CLOSING)
        if self._uploads >= UPLOADS_AT_ONCE:
            detail = f"{UPLOADS_AT_ONCE} uploads are on their way already; wait"
            raise Refused(503, "full", detail, {**CLOSING, "Retry-After": "5"})
        return _in_time(receive, UPLOAD_SECONDS)

    async def _body(self, scope: Scope, receive: Receive) -> Receive:
        """The request with its whole body, counted as it came."""
        if header(scope, b"content-length") in (None, "0") and header(scope, b"transfer-encoding") is None:
            return receive
        _refuse_compressed(scope)
        most = REQUEST_LIMITS["body_bytes"]
        detail = f"the body is longer than {most:,} bytes; 'opendpr add' takes any size"
        too_long = Refused(413, "body", detail, CLOSING)
        length = header(scope, b"content-length")
        if length is not None and int(length) > most:
            raise too_long
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while (message := await receive())["type"] == "http.request":
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise too_long
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            detail = f"the body did not come within {BODY_SECONDS} s"
            raise Refused(408, "slow", detail, CLOSING) from None
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        return replay


def _is_address(host: str) -> bool:
    """Whether a host is an address, which no other site's name can be made to be."""
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _refuse_compressed(scope: Scope) -> None:
    if (header(scope, b"content-encoding") or "identity").lower() != "identity":
        raise Refused(415, "encoding", "compressed bodies are not taken; send it as it is")


def _in_time(receive: Receive, seconds: float) -> Receive:
    """What comes within a time; after it the client counts as gone."""
    until = asyncio.get_running_loop().time() + seconds

    async def in_time() -> Message:
        try:
            async with asyncio.timeout_at(until):
                return await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}

    return in_time


def _given_token(scope: Scope, path: str, method: str) -> str:
    kind, _, value = (header(scope, b"authorization") or "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if _takes_cookie(path, method):
        try:
            cookie = SimpleCookie(header(scope, b"cookie") or "").get(TOKEN_COOKIE)
        except CookieError:
            return ""
        return cookie.value if cookie else ""
    return ""


def _takes_cookie(path: str, method: str) -> bool:
    """Whether the token may be in a cookie: for looking, and for forms, which no page of another site can send."""
    if method == "POST":
        return path in FORM_PATHS
    return method == "GET" and (path in PAGE_PATHS or path.startswith(JOB_PATHS))


def _writes(path: str, method: str) -> bool:
    return path.startswith(WRITTEN_PATHS) and method not in ("GET", "HEAD")
