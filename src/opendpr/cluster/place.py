"""Where passages are encoded: in this process, or by the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opendpr.errors import OpendprError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from opendpr.cluster.encoding import RayEncoder
    from opendpr.cluster.processes import Group, Work
    from opendpr.maintenance.add import LoadEncoder
    from opendpr.model.directory import Model
    from opendpr.model.runtime import RuntimeSettings


def silent(line: str) -> None:
    """A report that goes nowhere."""


@contextmanager
def processes(
    make: Callable[[], Work],
    on: str,
    workers: int | None,
    *,
    gpus: bool,
    report: Callable[[str], None] = silent,
) -> Iterator[Group]:
    """Processes of a cluster that work together, for the time in which it is connected; raises as `joined_processes`.

    Args:
        make: makes the work of each
        on: address of the cluster, or `auto`
        report: called with a line for each process, which says where it runs
    """
    host_and_port(on)
    with ray_needed():
        from opendpr.cluster.connection import connected
        from opendpr.cluster.processes import joined_processes

    with connected(on), joined_processes(make, workers, gpus=gpus) as group:
        for number, machine in enumerate(group.machines, 1):
            report(f"process {number} of {len(group.machines)} is on {machine}")
        yield group


def host_and_port(address: str) -> tuple[str, int] | None:
    """Where a cluster is to be reached; None for `auto`, the one of this machine.

    Raises:
        UsageError: the address has another form.
    """
    if address == "auto":
        return None
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):
        raise UsageError(f"expected a cluster as ray://HOST:10001, HOST:6379 or auto, got {address!r}")
    return host, int(port)


@contextmanager
def ray_needed() -> Iterator[None]:
    """Raises OpendprError if Ray, or a package that Ray imports, is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("opendpr"):
            raise
        name = "Ray" if error.name == "ray" else f"{error.name}, which Ray needs,"
        raise OpendprError(f"{name} is not installed; pip install 'opendpr[ray]'") from None


@contextmanager
def encoders(on: str | None, workers: int | None, *, report: Callable[[str], None] = silent) -> Iterator[LoadEncoder]:
    """What makes the encoder of a model, for the time in which a cluster is connected.

    Args:
        on: address of a cluster, or `auto`; None is this process
        workers: processes of the cluster that encode; None is one a GPU, or one a machine
        report: called at the end with a line for each machine, which says what it did

    Raises:
        BusyError: there is no cluster at the address.
        OpendprError: Ray is not installed.
        UsageError: a number of workers is given without a cluster, or the address has another form.
    """
    if on is None:
        if workers is not None:
            raise UsageError("workers are processes of a cluster; give its address too, with --on or on=")
        from opendpr.model.encoder import BertEncoder

        yield BertEncoder
        return
    if workers is not None and workers < 1:
        raise UsageError(f"workers must be 1 or more, got {workers}")
    host_and_port(on)
    with ray_needed():
        from opendpr.cluster.connection import connected
        from opendpr.cluster.encoding import RayEncoder
    loaded: list[RayEncoder] = []

    def load(model: Model, runtime: RuntimeSettings) -> RayEncoder:
        loaded.append(RayEncoder(model, runtime, workers=workers))
        return loaded[-1]

    with connected(on):
        yield load
        for encoder in loaded:
            for node, passages in sorted(encoder.passages_by_node.items()):
                report(f"{node} encoded {passages:,}")
            for reason in encoder.refused:
                report(f"not used: {reason}")


@contextmanager
def served_members(directory: Path, on: str | None, replicas: int | None, *, allow_partial: bool) -> Iterator[None]:
    """The members of a set, served by a cluster as long as the context lasts.

    Args:
        on: address of the cluster, or `auto`; None is this process
        replicas: processes that serve each of them; None is one
        allow_partial: members may be missing

    Raises:
        BusyError: there is no cluster at the address, or a member cannot be served.
        OpendprError: Ray is not installed.
        UsageError: a number of replicas is given without a cluster, or the address has another form.
    """
    if on is None:
        if replicas is not None:
            raise UsageError("replicas are processes of a cluster; give its address too, with --on")
        yield
        return
    host_and_port(on)
    with ray_needed():
        from opendpr.cluster.connection import connected
        from opendpr.cluster.members import deployed
    with connected(on), deployed(directory, replicas or 1, allow_partial=allow_partial):
        yield
