"""Several processes that train together on the loopback interface: as torchrun starts them, or by torchrun itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

DEADLINE_SECONDS = 900


def run_together(code: str, *arguments: object, count: int = 2) -> list[tuple[int, str]]:
    """Run the code in `count` processes; exit status and stderr of each."""
    shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return _ends(
        [_start(command, {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(count)],
    )


def run_machines(
    commands: Sequence[Sequence[object]], inside: Callable[[Sequence[object]], Sequence[object]] = list
) -> list[tuple[int, str]]:
    """Run each `opendpr` command by a torchrun of its own, as on a machine for each; exit status and stderr of each.

    Args:
        inside: returns the command that runs another where it is to run
    """
    shared = ["--nnodes", len(commands), "--nproc-per-node", 1, "--master-addr", "127.0.0.1"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", *shared, "--master-port", _free_port()]
    return _ends(
        [
            _start(inside([*torchrun, "--node-rank", rank, "-m", "opendpr", *command]), {})
            for rank, command in enumerate(commands)
        ]
    )


def _start(command: Sequence[object], more: Mapping[str, str]) -> subprocess.Popen[str]:
    paths = os.pathsep.join(filter(None, sys.path))  # the code imports what tests import
    environment = {**os.environ, "PYTHONPATH": paths, **more}
    return subprocess.Popen(list(map(str, command)), env=environment, stderr=subprocess.PIPE, text=True)


def _ends(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    errors = [process.communicate(timeout=DEADLINE_SECONDS)[1] for process in processes]
    return [(process.returncode, text) for process, text in zip(processes, errors, strict=True)]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
