"""`opendpr plan`: what a size costs, before it is built."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from opendpr.cli.options import AsJson, MemoryOption, ModelOption, PrecisionOption, Precisions, RecallOption
from opendpr.cli.output import print_json, put, say
from opendpr.errors import UsageError
from opendpr.storage.sizes import readable_size

if TYPE_CHECKING:
    from opendpr.search.cost import Estimate


def plan(
    collection: Annotated[Path | None, Argument(help="Directory written by 'opendpr add'.", show_default=False)] = None,
    passages: Annotated[
        int | None, Option("--passages", "-n", min=1, help="How many there will be.", show_default="the collection's")
    ] = None,
    memory: MemoryOption = None,
    recall: RecallOption = 0.95,
    model: ModelOption = None,
    precision: PrecisionOption = Precisions.auto,
    as_json: AsJson = False,
) -> None:
    """Say what a number of passages costs in memory, disk and time, and which index 'opendpr optimize' would build.

    Seconds are those of this machine: it is tried out for a moment. What does not fit into the memory is refused
    (exit code 6).

    \b
    Examples:
      opendpr plan --passages 21000000 --memory 16GB
      opendpr plan wikipedia --json
    """
    from opendpr.collection import open_collection
    from opendpr.model.directory import DEFAULT_MODEL, find_model
    from opendpr.model.runtime import RuntimeSettings
    from opendpr.search.cost import chosen, estimates, machine_memory
    from opendpr.search.rates import measure_machine

    limit, row, there = memory or machine_memory(), None, {"passages": 0, "vectors": 0}
    if collection is not None:
        with open_collection(collection) as opened:
            row, there = opened.encoder(), opened.counts()
    elif passages is None:
        raise UsageError("give a collection, or how many passages there will be with --passages")
    count = passages or there["passages"]
    encoding = find_model(model or (row.model if row else DEFAULT_MODEL)) if model or count > there["vectors"] else None
    # Another model has to encode all passages.
    vectors = 0 if encoding and row and row.fingerprint != encoding.fingerprint else there["vectors"]
    machine = measure_machine(encoding, RuntimeSettings(precision=precision.value))
    dim = encoding.require_encoder().dim if encoding else row.dim if row else 0
    offers = estimates(count, dim, machine, to_encode=max(0, count - vectors), recall=recall)
    taken = chosen(offers, count, limit)
    if as_json:
        print_json(_record(count, dim, limit, offers, taken))
        return
    _put_table(offers)
    put("")
    put(f"'opendpr optimize' takes {taken.kind} for {count:,} passages of {dim} numbers")
    for offer in offers:
        if offer.needed_bytes > limit:
            say(f"{offer.kind} does not fit into {readable_size(limit)} of memory")


def _record(passages: int, dim: int, limit: int, offers: list[Estimate], taken: Estimate) -> dict[str, Any]:
    kinds = [{**asdict(offer), "fits": offer.needed_bytes <= limit} for offer in offers]
    return {"passages": passages, "dim": dim, "memory_bytes": limit, "kinds": kinds, "taken": taken.kind}


def _put_table(offers: list[Estimate]) -> None:
    put(f"{'':6} {'memory':>10} {'to build':>10} {'disk':>10} {'encode':>10} {'optimize':>10} {'recall':>7}")
    for offer in offers:
        sizes = (offer.memory_bytes, offer.build_memory_bytes, offer.disk_bytes)
        spans = (offer.encode_seconds, offer.build_seconds)
        figures = [readable_size(bytes) for bytes in sizes] + [_time(seconds) for seconds in spans]
        put(f"{offer.kind:6} {' '.join(f'{figure:>10}' for figure in figures)} {offer.recall:>7.2f}")


def _time(seconds: float) -> str:
    """A span of time in the unit that suits it."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:,.0f} s"
