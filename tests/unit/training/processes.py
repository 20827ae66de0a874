"""Several processes that train together, as torchrun starts them, on the loopback interface."""

from __future__ import annotations

import os
import socket
import subprocess
import sys


def run_together(code: str, *arguments: object, count: int = 2) -> list[tuple[int, str]]:
    """Run the code in `count` processes; exit status and stderr of each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = os.pathsep.join(filter(None, sys.path))  # the code imports what tests import
    shared = {
        **os.environ,
        "PYTHONPATH": paths,
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    command = [sys.executable, "-c", code, *map(str, arguments)]
    started = [
        subprocess.Popen(
            command, env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in range(count)
    ]
    errors = [process.communicate(timeout=300)[1] for process in started]
    return [(process.returncode, text) for process, text in zip(started, errors, strict=True)]
