"""A Ray cluster on the loopback of a network namespace of its own, for tests and measurements: nobody else reaches it.

Ray's servers listen on every address of a machine whatever they are given, so they run where the loopback is all
there is. `Namespace` needs Linux with `unshare` and `nsenter`, and the right to make user namespaces.

A node that is not ready within 30 seconds, or whose agent is not within 15, gives up, and no setting changes that. It
is started again, for minutes, but a machine that has far too much else to do never gets there.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

PORT, CLIENT_PORT = 6399, 10001
ADDRESS = f"ray://127.0.0.1:{CLIENT_PORT}"
NODE = (
    *("--node-ip-address=127.0.0.1", "--object-store-memory=100000000", "--disable-usage-stats", "--block"),
    "--include-log-monitor=false",
)
HEAD = ("--head", f"--port={PORT}", f"--ray-client-server-port={CLIENT_PORT}", "--num-cpus=0", "--no-monitor")
ANSWER_SECONDS = 120
"""Time within which a cluster says how many machines it has, or is taken for dead."""
COUNTING = f"""
import signal, sys
signal.alarm({ANSWER_SECONDS})
import ray
ray.init('127.0.0.1:{PORT}', logging_level='ERROR')
for line in sys.stdin:
    signal.alarm({ANSWER_SECONDS})
    print(sum(node["Alive"] for node in ray.nodes()), flush=True)
    signal.alarm(0)
"""
FIRST_AGENT_PORT = 20_000
AGENT_PORTS = (
    "--dashboard-agent-listen-port",
    "--dashboard-agent-grpc-port",
    "--runtime-env-agent-port",
    "--metrics-export-port",
)
"""Ports that each machine is given: those that agents choose it waits for, and gives up after seconds."""
FATAL = re.compile(r"\[[^]]* C ")
"""How a line of Ray's logs begins that ends the process."""
LOG_LINES = 40
"""Lines of the commands that are shown of what did not work."""
PATIENCE_SECONDS = 900.0
"""For what takes seconds on a quiet machine."""


class Namespace:
    """A network namespace with nothing but a loopback, held open by a process that sleeps."""

    def __init__(self) -> None:
        held = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", "ip link set lo up && exec sleep infinity"]
        self.holder = subprocess.Popen(held)
        wait_until(lambda: self.holder.poll() is not None or self.command(["true"], check=False).returncode == 0)

    @staticmethod
    def missing() -> str | None:
        """Why there cannot be one here, if so."""
        if not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
            return "a network namespace needs unshare, nsenter and ip"
        tried = subprocess.run(["unshare", "--user", "--map-root-user", "--net", "ip", "link"], capture_output=True)
        return None if tried.returncode == 0 else f"no network namespace can be made: {tried.stderr.decode()[:100]}"

    def inside(self, command: Sequence[object]) -> list[str]:
        """The command that runs another in the namespace."""
        enter = ("nsenter", "--preserve-credentials", "--user", "--net", "--target", str(self.holder.pid))
        return [*enter, *map(str, command)]

    def command(self, command: Sequence[object], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.inside(command), capture_output=True, encoding="utf-8", check=check)

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()


class RayCluster:
    """A head that does no work, and machines of one processor each, which can be killed."""

    def __init__(self, nodes: int) -> None:
        self.namespace = Namespace()
        self.folder = Path(tempfile.mkdtemp(prefix="ray-"))  # a short path: sockets lie below it
        self._log = (self.folder / "log").open("ab")
        quiet = {"RAY_ENABLE_OPEN_TELEMETRY": "0", "PYTHONWARNINGS": "ignore", "GLOO_SOCKET_IFNAME": "lo"}
        equal = {"RAY_worker_niceness": "0"}  # 15 if it is not said, so that workers wait for all else on the machine
        safe = {"GRPC_ENABLE_FORK_SUPPORT": "0"}  # else servers of clients may die at their start (ray#63202)
        self._started = 0
        self._environment = {**os.environ, **quiet, **equal, **safe}
        self.head = self._start_head()
        self.nodes: list[subprocess.Popen[bytes]] = []
        self._counting: subprocess.Popen[str] | None = None
        try:
            wait_until(lambda: self._alive_at_last() >= 1)
            for _ in range(nodes):  # one after the other, as each start has to be quick
                self.nodes.append(self.join())
                wait_until(lambda: self._alive_at_last() > len(self.nodes))
        except BaseException as error:
            error.add_note(f"Ray did not start:\n{self.why()}")
            self.close()
            raise

    def _start_head(self) -> subprocess.Popen[bytes]:
        return self._start(*HEAD, "--include-dashboard=false", f"--temp-dir={self.folder}")

    def _alive_at_last(self) -> int:
        """The machines that are there; what gave up its start is started again, as a busy machine takes longer."""
        if self.head.poll() is not None:
            self.head = self._start_head()
        self.nodes = [node if node.poll() is None else self.join() for node in self.nodes]
        return self.alive()

    def settle(self) -> None:
        """Wait until the head knows all machines, and none that was killed."""
        wait_until(lambda: self._alive_at_last() == 1 + len(self.nodes))

    def join(self, *options: str, within: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Another machine.

        Args:
            options: of `ray start`
            within: a command that runs the one that follows it
        """
        return self._start(f"--address=127.0.0.1:{PORT}", "--num-cpus=1", *options, within=within)

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """End a machine and all that runs on it, without a word."""
        processes = [psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)]
        for process in processes:
            process.send_signal(signal.SIGKILL)
        node.wait()

    def alive(self) -> int:
        """Machines that the head knows, itself among them; 0 while there is no head.

        One process counts, as its start takes seconds.
        """
        if self._counting is None or self._counting.poll() is not None:
            self._end_counting()
            command, pipe = self.namespace.inside([sys.executable, "-c", COUNTING]), subprocess.PIPE
            self._counting = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self._log, encoding="utf-8")
        assert self._counting.stdin is not None
        assert self._counting.stdout is not None
        try:
            print(file=self._counting.stdin, flush=True)
        except BrokenPipeError:
            return 0
        line = self._counting.stdout.readline().strip()
        return int(line) if line.isdecimal() else 0

    def _end_counting(self) -> None:
        if self._counting is not None:
            self._counting.kill()
            self._counting.communicate()

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """An `opendpr` command in the namespace."""
        command = self.namespace.inside([sys.executable, "-m", "opendpr", *arguments])
        return subprocess.run(command, capture_output=True, encoding="utf-8")

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """An `opendpr` command in the namespace that goes on beside the test."""
        command = self.namespace.inside([sys.executable, "-m", "opendpr", *arguments])
        return subprocess.Popen(command, stderr=self._log)

    def why(self) -> str:
        """What was written by the last commands, and what Ray's own logs call fatal."""
        lines = (self.folder / "log").read_text(errors="replace").splitlines()[-LOG_LINES:]
        for path in sorted(self.folder.glob("session_latest/logs/raylet*.out")):
            fatal = [line for line in path.read_text(errors="replace").splitlines() if FATAL.match(line)]
            lines += [f"{path.name}: {line}" for line in fatal]
        return "\n".join(lines)

    def close(self) -> None:
        self._end_counting()
        for process in (*self.nodes, self.head):
            if process.poll() is None:
                self.kill(process)
        self.namespace.close()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, *options: str, within: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        self._started += 1
        first = FIRST_AGENT_PORT + len(AGENT_PORTS) * self._started
        ports = [f"{option}={port}" for port, option in enumerate(AGENT_PORTS, first)]
        command = self.namespace.inside([*within, "ray", "start", *NODE, *ports, *options])
        return subprocess.Popen(
            command, env=self._environment, stdout=self._log, stderr=self._log, start_new_session=True
        )


def wait_until(condition: Callable[[], object], *, every_seconds: float = 0.1) -> None:
    """Wait for what will come; fails after minutes, so that a lost cause ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("waited for minutes in vain")
        time.sleep(every_seconds)
