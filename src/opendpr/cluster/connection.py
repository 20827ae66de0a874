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

START_SECONDS = 120.0
"""How long to wait for a worker while none works."""
ANSWER_SECONDS = 10.0
"""How long to wait for a cluster to answer."""


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
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError, RayError) as error:
        advice = "start one with 'ray start --head', and give ray://HOST:10001, or HOST:6379 on one of its machines"
        raise BusyError(f"no Ray cluster was reached at {address} ({error}); {advice}") from None
    try:
        yield
    finally:
        ray.shutdown()


def named_node() -> str:
    """The machine of this process, as the cluster knows it too."""
    return f"{platform.node()} (node {ray.get_runtime_context().get_node_id()[:8]})"
