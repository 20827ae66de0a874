"""The server, by uvicorn: connections, worker processes, signals."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.supervisors import Multiprocess

from opendpr.errors import OpendprError
from opendpr.serving.fastapi import make_app
from opendpr.serving.logs import set_up_logs
from opendpr.serving.problems import App
from opendpr.serving.settings import SETTINGS_VARIABLE, Settings

HEADER_BYTES = 16_384
KEPT_ALIVE_SECONDS = 30
"""An idle connection is closed after this time."""
DRAIN_SECONDS = 9
"""Time after SIGTERM for the requests that are being answered."""
BACKLOG_CONNECTIONS = 512


def run(settings: Settings, on_listening: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that are being answered are finished.

    Args:
        on_listening: called with the address once questions can be asked; with several workers, before they have loaded

    Raises:
        OpendprError: it cannot listen on the address, or the collection cannot be served.
    """
    set_up_logs()
    bound = _listen(settings.host, settings.port)
    host, port = bound.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        if settings.workers > 1:
            os.environ[SETTINGS_VARIABLE] = settings.to_json()
            on_listening(address)
            config = _config("opendpr.serving.uvicorn:make_worker", workers=settings.workers)
            Multiprocess(config, [bound]).run()
        else:
            server = uvicorn.Server(_config(make_app(settings, lambda: server.should_exit)))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: None)  # uvicorn takes them over, and raises them once it is done
            on_listening(address)
            server.run([bound])
    finally:
        bound.close()


def make_worker() -> App:
    """The application of a worker process."""
    set_up_logs()
    return make_app(Settings.from_json(os.environ[SETTINGS_VARIABLE]))


def _config(app: App | str, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG_CONNECTIONS,
        h11_max_incomplete_event_size=HEADER_BYTES,
        timeout_keep_alive=KEPT_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        factory=isinstance(app, str),
        workers=workers,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio disables Nagle's algorithm only then (TCP_NODELAY). With it, the body of
    # an answer waits up to 40 ms until the client's kernel acknowledges the headers.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host.strip("[]"), port))
        bound.listen(BACKLOG_CONNECTIONS)
    except OSError as error:
        bound.close()
        raise OpendprError(
            f"cannot listen on {host}:{port} ({error.strerror or error}); choose another port with --port"
        ) from None
    return bound
