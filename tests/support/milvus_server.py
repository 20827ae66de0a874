"""Milvus servers for tests: the small one of the wheel `milvus-lite`, on the loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postgresql_server import free_port

START_SECONDS = 120


@contextmanager
def milvus_lite(directory: Path) -> Iterator[str]:
    """The address of a running server; the test is skipped without the wheel."""
    for module in ("pymilvus", "milvus_lite"):
        pytest.importorskip(module, reason=f"the wheel of {module} is not installed: no Milvus to test with")
    port = free_port()
    place = ["--data-dir", str(directory / "milvus"), "--host", "127.0.0.1", "--port", str(port)]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "milvus_lite", "server", *place], stdout=log, stderr=log)
    try:
        wait_for(port, process, directory / "log")
        yield f"milvus://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server listens.

    Raises:
        RuntimeError: it ended, or takes too long.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(log.read_text(errors="replace")) from None
            time.sleep(0.2)
