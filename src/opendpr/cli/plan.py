"""`opendpr plan`: what a size costs, before it is built."""

from __future__ import annotations

import math
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from typer import Argument, Option

from opendpr.choices import PrecisionName
from opendpr.cli.located import located
from opendpr.cli.options import AsJson, MemoryOption, ModelOption, PrecisionOption, RecallOption, amount
from opendpr.cli.output import print_json, put, say
from opendpr.errors import UsageError
from opendpr.wording import counted, readable_size

if TYPE_CHECKING:
    from opendpr.model.directory import Model
    from opendpr.search.cost import Estimate
    from opendpr.search.rates import Rates
    from opendpr.types import Passage

RateOption = Annotated[
    float | None,
    Option(
        "--passages-per-second",
        min=0.001,
        help="How many passages the machine that will encode them encodes.",
        show_default="measured here",
    ),
]


class _Scope(NamedTuple):
    """What a plan is for: this many vectors of this size."""

    passages: int
    dim: int
    to_encode: int
    """Passages that need a vector."""
    model: Model | None
    """What encodes them; None if none is to be encoded."""
    sample: list[Passage]
    """Passages of the collection that rates are measured with."""


def plan(
    collection: Annotated[Path | None, Argument(help="Directory written by 'opendpr add'.", show_default=False)] = None,
    passages: Annotated[
        int | None,
        Option(
            "--passages",
            "-n",
            parser=amount,
            metavar="NUMBER",
            help="How many there will be, as 21M.",
            show_default="the collection's",
        ),
    ] = None,
    machines: Annotated[
        int | None,
        Option("--machines", min=1, help="Spread over as many, each with --memory.", show_default=False),
    ] = None,
    memory: MemoryOption = None,
    recall: RecallOption = 0.95,
    model: ModelOption = None,
    precision: PrecisionOption = "auto",
    passages_per_second: RateOption = None,
    as_json: AsJson = False,
) -> None:
    """Say what a number of passages costs in memory, disk and time, and which index 'opendpr optimize' would build.

    Times follow from rates that are measured on this machine for a few seconds. If the passages will be encoded on
    another one, give its rate with --passages-per-second. What does not fit into memory is refused (exit code 6).

    \b
    Examples:
      opendpr plan --passages 21000000 --memory 16GB
      opendpr plan --passages 21000000 --passages-per-second 2500
      opendpr plan --passages 1000000000 --machines 16 --memory 128GB --passages-per-second 2500
      opendpr plan wikipedia --json
    """
    from opendpr.search.cost import chosen, estimates, machine_memory

    scope = _read_scope(collection, passages, model)
    if machines is not None:
        _plan_machines(
            scope,
            machines,
            memory or machine_memory(),
            passages_per_second=passages_per_second,
            precision=precision,
            as_json=as_json,
        )
        return
    limit, offers = memory or machine_memory(), estimates(scope.passages, scope.dim, recall=recall)
    taken = chosen(offers, scope.passages, limit)
    rates = _rates(scope, passages_per_second, precision)
    costs = [_cost(offer, scope, rates, limit) for offer in offers]
    if as_json:
        head = {"passages": scope.passages, "dim": scope.dim, "memory_bytes": limit}
        print_json({**head, "kinds": costs, "taken": taken.kind, "rates": _finite(rates)})
        return
    _put_table(costs)
    put("")
    put(f"'opendpr optimize' takes {taken.kind} for {counted(scope.passages, 'passage')} of {scope.dim} numbers")
    put(_rates_line(rates, measured=passages_per_second is None))
    for offer in offers:
        if offer.needed_bytes > limit:
            say(f"{offer.kind} does not fit into {readable_size(limit)} of memory")


def _plan_machines(
    scope: _Scope,
    machines: int,
    memory: int,
    *,
    passages_per_second: float | None,
    precision: PrecisionName,
    as_json: bool,
) -> None:
    """Show what the passages cost on several machines."""
    from opendpr.search.cluster_cost import check_fits, cluster_estimate

    if scope.to_encode and passages_per_second is None:
        passages_per_second = _rates(scope, None, precision).encoded_passages
    rate = passages_per_second if scope.to_encode and passages_per_second else math.inf
    cost = cluster_estimate(scope.passages, scope.dim, machines, encoded_passages=rate)
    check_fits(cost, scope.passages, scope.dim, memory)
    if as_json:
        print_json({"passages": scope.passages, "dim": scope.dim, "memory_bytes": memory, **asdict(cost)})
        return
    workers, servers = counted(machines, "worker"), counted(machines, "server")
    put(f"{counted(scope.passages, 'passage')} of {scope.dim} numbers")
    put(f"  collection, on one machine     {readable_size(cost.collection_bytes):>10} of disk")
    if scope.to_encode:
        put(
            f"  encode --on ray://, {workers:<12}{readable_size(cost.worker_memory_bytes):>9} of memory each, "
            f"{_time(cost.encode_seconds)} at {rate:,.0f} passages a second each"
        )
    put(
        f"  push postgresql://, {servers:<12}{readable_size(cost.server_memory_bytes):>9} of memory and "
        f"{readable_size(cost.server_disk_bytes)} of disk each, indexed by HNSW"
    )


def _read_scope(collection: Path | None, passages: int | None, model: str | None) -> _Scope:
    from opendpr.collection import open_collection
    from opendpr.model.directory import DEFAULT_MODEL, find_model
    from opendpr.search.rates import SAMPLE_PASSAGES

    row, vectors, sample = None, 0, []
    if collection is not None:
        with open_collection(located(collection, vectors=False)) as opened:
            row, counts = opened.encoder(), opened.counts()
            sample = list(islice(opened.passages_after(0), SAMPLE_PASSAGES))
        passages, vectors = passages or counts["passages"], counts["vectors"]
    if passages is None:
        raise UsageError("give a collection, or how many passages there will be with --passages")
    encoding = find_model(model or (row.model if row else DEFAULT_MODEL)) if model or passages > vectors else None
    if encoding and row and row.fingerprint != encoding.fingerprint:
        vectors = 0  # another model has to encode all passages
    dim = encoding.require_encoder().dim if encoding else row.dim if row else 0
    return _Scope(passages, dim, max(0, passages - vectors), encoding, sample)


def _rates(scope: _Scope, passages_per_second: float | None, precision: PrecisionName) -> Rates:
    from opendpr.model.encoder import BertEncoder
    from opendpr.model.runtime import RuntimeSettings
    from opendpr.search.rates import measure_rates

    if not scope.to_encode or scope.model is None:
        return measure_rates(scope.passages, scope.dim, scope.sample, None)
    if passages_per_second is not None:
        return measure_rates(scope.passages, scope.dim, scope.sample, passages_per_second)
    encoder = BertEncoder(scope.model, RuntimeSettings(precision=precision))
    return measure_rates(scope.passages, scope.dim, scope.sample, encoder)


def _cost(offer: Estimate, scope: _Scope, rates: Rates, limit: int) -> dict[str, Any]:
    from opendpr.search.rates import build_seconds

    seconds = {
        "encode_seconds": scope.to_encode / rates.encoded_passages,
        "build_seconds": build_seconds(offer.kind, scope.passages, rates),
    }
    return {**asdict(offer), **seconds, "fits": offer.needed_bytes <= limit}


def _finite(rates: Rates) -> dict[str, float | None]:
    """Rates by name, a second; None where nothing is to be done."""
    return {name: rate if math.isfinite(rate) else None for name, rate in asdict(rates).items()}


def _rates_line(rates: Rates, *, measured: bool) -> str:
    here = [
        f"{rates.indexed_passages:,.0f} passages indexed",
        f"{rates.coded_vectors:,.0f} vectors coded",
        f"{rates.scanned_vectors:,.0f} compared with questions",
    ]
    encoded = f"{rates.encoded_passages:,.0f} passages encoded"
    if math.isinf(rates.encoded_passages):
        return f"rates measured here, a second: {', '.join(here)}"
    if measured:
        return f"rates measured here, a second: {', '.join([encoded, *here])}"
    return f"rates measured here, a second: {', '.join(here)}; as given: {encoded}"


def _put_table(costs: list[dict[str, Any]]) -> None:
    put(f"{'':6} {'memory':>10} {'to build':>10} {'disk':>10} {'encode':>10} {'optimize':>10} {'recall':>7}")
    for cost in costs:
        sizes = [readable_size(cost[name]) for name in ("memory_bytes", "build_memory_bytes", "disk_bytes")]
        spans = [_time(cost[name]) for name in ("encode_seconds", "build_seconds")]
        put(f"{cost['kind']:6} {' '.join(f'{figure:>10}' for figure in sizes + spans)} {cost['recall']:>7.2f}")


def _time(seconds: float) -> str:
    """A span of time in the unit that suits it."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:,.0f} s"
