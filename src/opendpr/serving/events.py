"""How far a job is, as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict

from opendpr.serving.records import JobRecord

EVENTS_TYPE = "text/event-stream"
POLL_SECONDS = 0.2
SILENCE_POLLS = 75
"""After this many polls without news a comment is sent, so that nobody takes the connection for dead."""


async def job_events(job: JobRecord, is_ending: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The job each time it has changed, until it is over or the service ends."""
    before, silent = "", 0
    while not is_ending():
        now = json.dumps(asdict(job), ensure_ascii=False)
        if now != before:
            yield f"data: {now}\n\n".encode("utf-8", "replace")
            before, silent = now, 0
        elif (silent := silent + 1) % SILENCE_POLLS == 0:
            yield b": still at it\n\n"
        if json.loads(now)["state"] in ("done", "failed"):
            return
        await asyncio.sleep(POLL_SECONDS)
