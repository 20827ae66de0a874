"""`opendpr serve`: an HTTP API and a web page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from opendpr.cli.located import located, located_to_write
from opendpr.cli.options import (
    AllowPartialOption,
    CollectionArgument,
    DeviceOption,
    IndexOption,
    ModelOption,
    PrecisionOption,
    RuntimeOption,
    engine_settings,
)
from opendpr.cli.output import say
from opendpr.errors import OpendprError


def serve(
    collection: CollectionArgument,
    host: Annotated[
        str, Option("--host", help="Address to listen on; one that other machines can reach needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, Option("--port", "-p", min=0, max=65_535)] = 8000,
    workers: Annotated[int, Option("--workers", min=1, max=64, help="Processes that share the collection.")] = 1,
    writable: Annotated[bool, Option("--writable", help="Let documents be added and removed by HTTP.")] = False,
    judgements: Annotated[
        bool,
        Option(
            "--judgements",
            help="Store what users say of answers in the collection, as questions; --writable does too.",
        ),
    ] = False,
    token_file: Annotated[
        Path | None,
        Option(
            "--token-file",
            help="One token a line, in plain text or as sha256:HEX; with 'read' before it a token may only read. "
            "Or set OPENDPR_TOKEN_FILE or OPENDPR_TOKEN.",
            show_default=False,
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        Option(
            "--allow-host",
            metavar="NAME",
            help="A name by which the service is reached; repeatable.",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[float, Option("--rate", min=0, help="Requests a second from one client; 0 means no limit.")] = 0,
    max_wait: Annotated[
        float, Option("--max-wait", min=0.1, help="Seconds; a question that would wait longer is refused with 503.")
    ] = 5,
    index: IndexOption = None,
    on: Annotated[
        str | None,
        Option(
            "--on",
            help="A Ray cluster that serves the members of a set: head:6379 or auto on one of its machines, "
            "ray://head:10001 elsewhere; needs opendpr[ray].",
            show_default="here",
        ),
    ] = None,
    replicas: Annotated[
        int | None, Option("--replicas", min=1, help="With --on: processes for each member.", show_default="1")
    ] = None,
    allow_partial: AllowPartialOption = False,
    model: ModelOption = None,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
) -> None:
    """Serve COLLECTION as an HTTP API and a web page.

    Ctrl-C or SIGTERM ends it; requests that are being answered are finished. The page is at the
    address shown, the API is described at /docs.

    \b
    Examples:
      opendpr serve notes
      opendpr serve ./docs
      OPENDPR_TOKEN_FILE=tokens.txt opendpr serve notes --host 0.0.0.0 --allow-host notes.example.org
      opendpr serve wiki-set --on head:6379 --replicas 2
    """
    from opendpr.cluster.place import served_members
    from opendpr.collection.judgements import refuse_judging_set
    from opendpr.collection.opening import holds_documents
    from opendpr.maintenance.on_demand import EncodeNeeded
    from opendpr.model.runtime import RuntimeSettings
    from opendpr.serving.settings import Settings
    from opendpr.serving.tokens import read_tokens

    running = RuntimeSettings(runtime, precision, device)
    if writable:
        located_to_write(collection, "change them by HTTP")
    if judgements:
        located_to_write(collection, "judge answers")
        refuse_judging_set(collection)
    settings = Settings(
        collection=located(collection, model, running, encode=EncodeNeeded(())),
        model=model,
        name=collection.resolve().name,
        is_partial=holds_documents(collection),
        runtime=running,
        host=host,
        port=port,
        workers=workers,
        writable=writable,
        judgements=judgements,
        tokens=read_tokens(token_file),
        hosts=tuple(allow_host or ()),
        requests_per_second=rate,
        most_seconds=max_wait,
        engine=engine_settings(index, allow_partial=allow_partial, collection=collection),
        allow_partial=allow_partial,
        on_cluster=on is not None,
    )
    try:
        from opendpr.serving.uvicorn import run
    except ModuleNotFoundError as error:
        raise OpendprError(f"{error.name} is not installed; pip install 'opendpr[serve]'") from None
    with served_members(collection, on, replicas, allow_partial=allow_partial):
        run(settings, lambda address: say(f"{collection} is served at {address}"))
