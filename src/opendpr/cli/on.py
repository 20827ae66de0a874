"""Where passages are encoded: in this process, or by the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opendpr.cli.output import say
from opendpr.errors import OpendprError, UsageError

if TYPE_CHECKING:
    from opendpr.maintenance.add import LoadEncoder
    from opendpr.model.directory import Model
    from opendpr.model.runtime import RuntimeSettings


@contextmanager
def encoders(on: str | None, workers: int | None) -> Iterator[LoadEncoder]:
    """What makes the encoder of a model, for the time in which a cluster is connected; says which machine did what.

    Raises:
        BusyError: there is no cluster at the address.
        OpendprError: Ray is not installed.
        UsageError: a number of workers is given without a cluster.
    """
    if on is None:
        if workers is not None:
            raise UsageError("--workers is the number of processes of a cluster; give its address with --on")
        from opendpr.model.encoder import BertEncoder

        yield BertEncoder
        return
    try:
        from opendpr.cluster import RayEncoder, connected
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise OpendprError("Ray is not installed; pip install 'opendpr[ray]'") from None
    loaded: list[RayEncoder] = []

    def load(model: Model, runtime: RuntimeSettings) -> RayEncoder:
        loaded.append(RayEncoder(model, runtime, workers=workers))
        return loaded[-1]

    with connected(on):
        yield load
        for encoder in loaded:
            for node, passages in sorted(encoder.passages_by_node.items()):
                say(f"{node} encoded {passages:,}")
            for reason in encoder.refused:
                say(f"not used: {reason}")
