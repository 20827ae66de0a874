"""The connection to a Ray cluster, and what its machines are called."""

from __future__ import annotations

import logging
import platform
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import ray
from ray.exceptions import RayError

from opendpr.cluster.place import host_and_port
from opendpr.errors import BusyError

logger = logging.getLogger(__name__)

START_SECONDS = 120.0
"""How long to wait for a worker while none works."""
ANSWER_SECONDS = 10.0
"""How long to wait for a cluster to answer."""
CLIENT_ATTEMPTS = 5
"""Times that a client asks for a server of its own: Ray forks it off a process with threads, and now and then it does
not survive that (ray-project/ray#63202)."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A connection to a Ray cluster: `ray://host:10001`, or on one of its machines `host:6379` or `auto`.

    Raises:
        BusyError: nothing answers at the address.
        UsageError: the address has another form.
    """
    if address == "auto" and ray.is_initialized():  # by the program, which goes on with it
        yield
        return
    place = host_and_port(address)
    try:
        if place is not None:  # Ray itself tries for minutes
            socket.create_connection(place, timeout=ANSWER_SECONDS).close()
        _connect(address)
    except (OSError, RuntimeError, ValueError, RayError) as error:
        advice = "start one with 'ray start --head', and give ray://HOST:10001, or HOST:6379 on one of its machines"
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]  # a client gets the server's traceback
        raise BusyError(f"no Ray cluster was reached at {address} ({reason}); {advice}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _connect(address: str) -> None:
    for attempt in range(1, CLIENT_ATTEMPTS + 1):
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionAbortedError as error:  # the cluster answers, and has not made a server for this client
            if attempt == CLIENT_ATTEMPTS:
                raise
            logger.info("the cluster did not start a server for this client, asked again: %s", error)
        else:
            return


def named_node() -> str:
    """The machine of this process, as the cluster knows it too."""
    return f"{platform.node()} (node {ray.get_runtime_context().get_node_id()[:8]})"
