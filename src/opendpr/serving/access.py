"""What happens to every request: an id, headers that keep a browser safe, a line in the log, a count."""

from __future__ import annotations

import logging
import re
import secrets
import time

from opendpr.serving.problems import App, Message, Receive, Scope, Send, header
from opendpr.serving.prometheus_client import Metrics

logger = logging.getLogger("opendpr.access")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SAFETY_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Headers of every answer that does not set them itself."""
STATIC_CACHE = "public, max-age=3600"
"""Browsers keep static files for an hour; a changed file gets another address."""


class Access:
    """The outermost layer. It never logs what was asked: no body, no query string, no id in a path."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client_id = header(scope, b"x-request-id") or ""
        id = client_id if REQUEST_ID.fullmatch(client_id) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = id
        started, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                sent = {name.lower() for name, _ in message["headers"]}
                safe = {**SAFETY_HEADERS, "x-request-id": id}
                if scope["path"].startswith("/static/") and status < 400:
                    safe["cache-control"] = STATIC_CACHE
                added = [(name.encode(), value.encode()) for name, value in safe.items() if name.encode() not in sent]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._record(scope, id, status, time.perf_counter() - started)

    def _record(self, scope: Scope, id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in ("GET", "POST", "PUT", "DELETE") else "other"
        self._metrics.count_request(route, method, status, seconds=seconds)
        client = scope.get("client")
        fields = {
            "request_id": id,
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(1000 * seconds, 1),
            "client": client[0] if client else None,
        }
        logger.info("%s %s %d %.0f ms", method, route, status, 1000 * seconds, extra={"fields": fields})
