"""`opendpr push`: vectors to an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from opendpr.cli.located import located
from opendpr.cli.options import AsJson, CollectionArgument, ModelOption, WaitOption
from opendpr.cli.output import print_json, put
from opendpr.cli.progress import stages
from opendpr.errors import CorruptionError
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.collection import Collection
    from opendpr.engines.engine import Engine
    from opendpr.iteration import OnStage
    from opendpr.model.directory import Model


def push(
    collection: CollectionArgument,
    address: Annotated[
        str,
        Argument(
            metavar="URL",
            help="postgresql://USER@HOST/DATABASE or milvus://HOST; '+' between hosts that hold a share of the vectors "
            "each, ',' between hosts that hold the same.",
            show_default=False,
        ),
    ],
    check: Annotated[bool, Option("--check", help="Compare all that the engine holds with the collection.")] = False,
    recall: Annotated[
        bool, Option("--recall", help="Measure what share of the best passages the engine finds.")
    ] = False,
    model: ModelOption = None,
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Bring the engine at URL up to date with COLLECTION, for searches with --index URL.

    The first time all vectors are sent, later what changed. Interrupted, the same command goes on. Passwords are read
    from the file that PGPASSFILE names, a Milvus token from the file that OPENDPR_MILVUS_TOKEN_FILE names.

    \b
    Examples:
      opendpr push wiki postgresql://search@db.example.org/opendpr --recall
      opendpr push wiki 'postgresql://search@db1,db1-copy+db2,db2-copy/opendpr?sslmode=verify-full'
    """
    from opendpr.collection import open_collection
    from opendpr.collection.collection_set import refuse_set
    from opendpr.engines.opening import open_engine
    from opendpr.maintenance.push import push as push_to
    from opendpr.model.directory import find_model
    from opendpr.search.engine_index import vector_set

    asking = find_model(model) if model else None
    directory = located(collection, model, silent=as_json)
    with open_collection(directory) as opened, stages("vectors") as show:
        refuse_set(opened)
        engine = open_engine(address, vector_set(opened, opened.require_encoder()), writes=True)
        try:
            done = push_to(opened, engine, wait_seconds=wait, on_progress=show)
            record: dict[str, Any] = {"collection": str(collection), "engine": engine.name, **asdict(done)}
            if check:
                record["compared"] = _check(opened, engine, show)
            if recall:
                record["recall"] = _measure(opened, engine, asking, show)
        finally:
            engine.close()
    if as_json:
        print_json(record)
    else:
        _put(record)


def _check(collection: Collection, engine: Engine, show: OnStage) -> int:
    """Compare; an engine that differs is emptied, as nobody knows what else is wrong with it."""
    from opendpr.maintenance.engine_check import compare

    differences = compare(collection, engine, show)
    if differences:
        engine.forget()
        raise CorruptionError(
            f"{engine.name} does not hold what was pushed: {differences}; it was emptied, the same command pushes "
            "all again"
        )
    return differences.compared


def _measure(collection: Collection, engine: Engine, model: Model | None, show: OnStage) -> Mapping[str, float]:
    from opendpr.maintenance.engine_check import note_recall
    from opendpr.maintenance.optimize import asker

    return note_recall(collection, engine, asker(collection, collection.require_encoder(), model), on_progress=show)


def _put(record: dict[str, Any]) -> None:
    """Print what was pushed, in words."""
    pushed = f"{counted(record['pushed'], 'passage')} pushed, {record['removed']:,} removed"
    put(f"{record['engine']} has version {record['version']} of {record['collection']}: {pushed}")
    if record["waiting"]:
        put(f"{counted(record['waiting'], 'passage')}, from the first without a vector on, are scanned by each search")
    if "compared" in record:
        put(f"compared with the collection: {counted(record['compared'], 'passage')}, all the same")
    if "recall" in record:
        recalls = ", ".join(f"recall@{depth} {value:.3f}" for depth, value in record["recall"].items())
        put(f"questions made of passages: {recalls}")
