"""The server, by uvicorn: connections, worker processes, signals."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from opendpr.errors import OpendprError
from opendpr.serving.fastapi import make_app
from opendpr.serving.logs import set_up_logs
from opendpr.serving.problems import App
from opendpr.serving.service import Service
from opendpr.serving.settings import VARIABLE, Settings

HEADER_SECONDS = 10.0
"""In which the headers of a request must have come."""
HEADER_BYTES = 16_384
KEPT_ALIVE_SECONDS = 30
DRAIN_SECONDS = 9
"""After SIGTERM, for the requests that are being answered."""
ARRIVE_SECONDS = 0.1
"""Of those, for the requests of those who have just connected."""
BACKLOG = 512
SO_ATTACH_FILTER = 26
"""Of Linux; Python does not name it."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for a client that sends its headers slowly."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Start the clock when headers are awaited, stop it when they are there."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._unwatch()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class DrainingServer(uvicorn.Server):
    """A server that answers also those who had connected when it was told to end, and not asked yet."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in sockets or []:
            _refuse_more(listening)
        await asyncio.sleep(ARRIVE_SECONDS)
        await super().shutdown(sockets)


def _refuse_more(listening: socket.socket) -> None:
    """Let nobody else connect, while those who have are still accepted: closing the socket would reset these.

    The kernel of Linux drops what a filter of the one instruction "keep 0 bytes" sees; elsewhere nothing is done.
    """
    keep_nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(keep_nothing))
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid filters
            listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def run(settings: Settings, on_listening: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that are being answered are finished.

    Args:
        on_listening: told the address once questions can be asked; before that, where several processes load

    Raises:
        OpendprError: the address cannot be listened at, or the collection cannot be served.
    """
    set_up_logs()
    bound = _listen(settings.host, settings.port)
    host, port = bound.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        if settings.workers > 1:
            os.environ[VARIABLE] = settings.to_json()
            on_listening(address)
            config = _config("opendpr.serving.uvicorn:make_worker", workers=settings.workers)
            Multiprocess(config, [bound]).run()
        else:
            server = DrainingServer(_config(make_app(Service(settings))))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: None)  # uvicorn takes them over, and raises them once it is done
            on_listening(address)
            server.run([bound])
    finally:
        bound.close()


def make_worker() -> App:
    """The application of a worker process."""
    set_up_logs()
    return make_app(Service(Settings.from_json(os.environ[VARIABLE])))


def _config(app: App | str, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=HEADER_BYTES,
        timeout_keep_alive=KEPT_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        factory=isinstance(app, str),
        workers=workers,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends what it has at once (TCP_NODELAY) only where the protocol is named; else a client's kernel, which
    # waits 40 ms to acknowledge the headers, holds back the body.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host.strip("[]"), port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise OpendprError(
            f"{host}:{port} cannot be listened at ({error.strerror or error}); choose another with --port"
        ) from None
    return bound
