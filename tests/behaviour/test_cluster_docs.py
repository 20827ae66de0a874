"""`docs/cluster.md` is walked: servers are made, killed and started again as the page says."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pages import matches, printed, sessions
from postgresql_server import UNPRIVILEGED, binaries, free_port
from ray_cluster import Namespace

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cluster.md"
PORTS = ("54331", "54332")
"""Of the page; the test takes two that are free."""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder in which servers may run, which PostgreSQL refuses to do as root."""
    with tempfile.TemporaryDirectory(prefix="cluster", dir="/tmp") as folder:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(UNPRIVILEGED)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        yield Path(folder)
        for name in ("one", "two"):
            subprocess.run([binaries() / "pg_ctl", "-D", name, "-m", "immediate", "stop"], cwd=folder, **user())


def user() -> dict[str, object]:
    """Who runs a server's programs."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    return {**quiet, "user": UNPRIVILEGED, "extra_groups": []} if os.geteuid() == 0 else quiet


def programs(directory: Path, *servers: str) -> Path:
    """The commands of the page, in a folder: `opendpr` and some of a server."""
    directory.mkdir()
    switch = f"setpriv --reuid {UNPRIVILEGED} --clear-groups " if os.geteuid() == 0 else ""
    lines = {"opendpr": f'{shlex.quote(sys.executable)} -m opendpr "$@"'}
    lines |= {name: f'{switch}{shlex.quote(str(binaries() / name))} "$@"' for name in servers}
    for name, line in lines.items():
        (directory / name).write_text(f"#!/bin/sh\nexec {line}\n")
        (directory / name).chmod(0o755)
    return directory


def walk(command: Sequence[str], expected: str, home: Path, environment: Mapping[str, str]) -> None:
    """Run a command of the page, which has to print what the page says."""
    output = printed(command, home, environment)
    assert matches(expected, output), f"$ {command[-1]}\n{output}\n--- where the page says\n{expected}"


def test_the_page_is_walked_and_servers_are_killed_on_the_way(home, tmp_path, environment):
    environment["PATH"] = f"{programs(tmp_path / 'bin', 'initdb', 'pg_ctl')}{os.pathsep}{environment['PATH']}"
    ports = dict(zip(PORTS, (str(free_port()), str(free_port())), strict=True))
    for command, expected in sessions(PAGE):
        for shown, taken in ports.items():
            command, expected = command.replace(shown, taken), expected.replace(shown, taken)
        walk(["bash", "-c", command], expected, home, environment)


@pytest.mark.slow
@pytest.mark.skipif(bool(Namespace.missing()), reason=Namespace.missing() or "")
def test_three_nodes_are_started_and_one_is_killed_as_the_page_says(tmp_path, environment):
    pytest.importorskip("ray", reason="Ray is not installed; pip install 'opendpr[ray]'")
    environment["PATH"] = f"{programs(tmp_path / 'bin')}{os.pathsep}{environment['PATH']}"
    namespace, temporary = Namespace(), tempfile.mkdtemp(prefix="ray-")  # a short path: sockets lie below it
    try:
        for command, expected in sessions(PAGE, "nodes"):
            walk(namespace.inside(["bash", "-c", command]), expected, tmp_path, environment | {"RAY_TMPDIR": temporary})
    finally:
        for path in tmp_path.glob("*.pid"):
            end_ray(int(path.read_text()))
        namespace.close()
        shutil.rmtree(temporary, ignore_errors=True)


def end_ray(process: int) -> None:
    """End a node that is still there."""
    with suppress(psutil.NoSuchProcess):
        if "--node-ip-address=127.0.0.1" in psutil.Process(process).cmdline():
            psutil.Process(process).kill()
