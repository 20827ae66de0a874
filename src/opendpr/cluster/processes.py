"""One piece of work by several processes of a Ray cluster together, joined as torchrun joins them.

Ray places the processes and notices when one is lost; what they do, they agree on among themselves, by the variables of
the environment that `torch.distributed` reads. Nothing but messages goes between them and the driver: no file system is
shared.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayError, RayTaskError

from opendpr import __version__
from opendpr.cluster.connection import START_SECONDS, named_node
from opendpr.errors import BusyError, OpendprError, StateError, UsageError

NEWS_SECONDS = 2.0
"""Time between two looks at how far the first process is."""
CLOSE_SECONDS = 10.0
"""How long processes may take to remove what they wrote."""
CALLS_AT_ONCE = 3
"""Of a process: the work, a question for news, an interruption."""


class Work(Protocol):
    """What a process does; it is asked for news, and interrupted, from other threads."""

    def run(self, task: Any) -> Any:  # noqa: ANN401  # whatever the work needs and makes
        """Do all of it; None if it was interrupted."""

    def news(self, known: int) -> Any:  # noqa: ANN401
        """What is new since `known`."""

    def interrupt(self) -> None:
        """End soon, with what was done kept for `news`."""

    def close(self) -> None:
        """Remove what was written on the way."""


class GroupProcess:
    """Runs in a process of the cluster.

    Args:
        make: makes the work, of a module that each machine has
    """

    def __init__(self, make: Callable[[], Work]) -> None:
        self._work = make()

    def describe(self) -> tuple[str, str, str, int]:
        """The machine, its version of opendpr, its address and a port that is free."""
        with socket.socket() as free:
            free.bind(("", 0))
            return named_node(), __version__, ray.util.get_node_ip_address(), free.getsockname()[1]

    def join(self, rank: int, world: int, address: str, port: int) -> None:
        """Set what `torch.distributed` reads; Ray shows a process only the GPU that is its own."""
        shared = {"MASTER_ADDR": address, "MASTER_PORT": str(port), "WORLD_SIZE": str(world)}
        os.environ.update({**shared, "RANK": str(rank), "LOCAL_RANK": "0"})

    def run(self, task: Any) -> Any:  # noqa: ANN401
        """The work, done together with the others."""
        return self._work.run(task)

    def news(self, known: int) -> Any:  # noqa: ANN401
        """What is new in this process."""
        return self._work.news(known)

    def interrupt(self) -> None:
        """End soon."""
        self._work.interrupt()

    def close(self) -> None:
        """Leave nothing behind."""
        self._work.close()


class Group:
    """Processes that have joined; `joined_processes` makes it."""

    def __init__(self, processes: Sequence[ActorHandle], machines: Sequence[str]) -> None:
        self._processes, self.machines = processes, machines

    def run(self, task: object, on_news: Callable[[Any], int]) -> Any:  # noqa: ANN401
        """What the first process makes of a task, once all have ended; None if they were interrupted.

        Args:
            on_news: is given what the first process has that is new, and returns what is known from then on

        Raises:
            BusyError: a process was lost.
            KeyboardInterrupt: as it comes; what was done is handed to `on_news` first.
            OpendprError: the work failed, as it fails on one machine.
        """
        shared, known = ray.put(task), 0
        running = [process.run.remote(shared) for process in self._processes]
        try:
            while True:
                ended, _ = ray.wait(running, num_returns=len(running), timeout=NEWS_SECONDS)
                known = on_news(_result(self._processes[0].news.remote(known)))
                failed, _ = ray.wait(running, timeout=0)
                results = [_result(reference) for reference in failed]  # raises what ended a process early
                if len(ended) == len(running):
                    return _result(running[0]) if results else None
        except KeyboardInterrupt:
            for process in self._processes:
                process.interrupt.remote()
            ray.wait(running, num_returns=len(running), timeout=START_SECONDS)
            on_news(_result(self._processes[0].news.remote(known)))
            raise


@contextmanager
def joined_processes(make: Callable[[], Work], workers: int | None, *, gpus: bool) -> Iterator[Group]:
    """Processes of the connected cluster that work together, as long as the block lasts.

    Args:
        workers: how many; None is one a GPU, or one a machine
        gpus: whether each may have one, if the cluster offers any

    Raises:
        BusyError: the cluster has no room for all of them.
        StateError: a machine has another version of opendpr.
        UsageError: there are to be none.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"workers must be 1 or more, got {workers}")
    offered = int(ray.cluster_resources().get("GPU", 0)) if gpus else 0
    count = workers or offered or sum(node["Alive"] and bool(node["Resources"].get("CPU")) for node in ray.nodes())
    actor = ray.remote(GroupProcess).options(
        num_cpus=1,
        num_gpus=int(bool(offered)),
        max_restarts=0,
        max_concurrency=CALLS_AT_ONCE,
        scheduling_strategy="SPREAD",
    )
    processes = [actor.remote(make) for _ in range(max(count, 1))]
    try:
        yield Group(processes, _join(processes))
    finally:
        ray.wait([process.close.remote() for process in processes], num_returns=len(processes), timeout=CLOSE_SECONDS)
        for process in processes:
            with suppress(RayError):
                ray.kill(process)


def _join(processes: Sequence[ActorHandle]) -> list[str]:
    """Let processes know of each other; returns the machine of each."""
    described = [process.describe.remote() for process in processes]
    started, late = ray.wait(described, num_returns=len(described), timeout=START_SECONDS)
    if late:
        raise BusyError(
            f"{len(started)} of {len(described)} processes were started within {START_SECONDS:.0f} s; give fewer "
            "--workers, or join more machines, and run the same command again"
        )
    machines = [_result(reference) for reference in described]
    for machine, version, *_ in machines:
        if version != __version__:
            raise StateError(f"{machine} has opendpr {version}, expected {__version__}; install that one there")
    _, _, address, port = machines[0]
    for reference in [
        process.join.remote(rank, len(processes), address, port) for rank, process in enumerate(processes)
    ]:
        _result(reference)
    return [machine for machine, *_ in machines]


def _result(reference: ray.ObjectRef) -> Any:  # noqa: ANN401
    """What a call gave, with errors in our words."""
    try:
        return ray.get(reference)
    except RayActorError as error:
        raise BusyError(f"a process was lost ({error}); the same command goes on from the last checkpoint") from None
    except RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, OpendprError) else OpendprError(f"a process failed: {cause}")) from None
