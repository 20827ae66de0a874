"""`opendpr push`: vectors to an engine."""

from __future__ import annotations

from typing import Annotated, Any

from typer import Argument, Option

from opendpr.cli.options import AsJson, CollectionArgument, ModelOption, WaitOption
from opendpr.cli.output import many, print_json, say, stages


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
    from opendpr.engines.opening import open_engine
    from opendpr.maintenance.push import push as push_to
    from opendpr.search.engine_index import vector_set

    with open_collection(collection) as opened:
        engine = open_engine(address, vector_set(opened, opened.require_encoder()), writes=True)
        with stages("vectors") as show:
            done = push_to(opened, engine, wait_seconds=wait, on_progress=show)
        record: dict[str, Any] = {"collection": str(collection), "engine": engine.name, **done.__dict__}
        say(
            f"{engine.name} has version {done.version} of {collection}: {many(done.pushed, 'passage')} pushed, "
            f"{done.removed:,} removed"
        )
        if done.waiting:
            say(f"{many(done.waiting, 'passage')} from the first one without a vector on: scanned by each search")
    if as_json:
        print_json(record)
