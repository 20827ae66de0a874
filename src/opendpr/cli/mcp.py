"""`opendpr mcp`: tools for a language model."""

from __future__ import annotations

from opendpr.cli.located import located
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
from opendpr.errors import OpendprError


def mcp(
    collection: CollectionArgument,
    index: IndexOption = None,
    allow_partial: AllowPartialOption = False,
    model: ModelOption = None,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
) -> None:
    """Give a language model the tools `ask` and `search` over COLLECTION (Model Context Protocol, stdio).

    \b
    Example, as an MCP client starts it:
      {"mcpServers": {"notes": {"command": "opendpr", "args": ["mcp", "/home/me/notes"]}}}
    """
    from opendpr.model.runtime import RuntimeSettings

    try:
        from opendpr.serving.mcp import run
    except ModuleNotFoundError as error:
        raise OpendprError(f"{error.name} is not installed; pip install 'opendpr[mcp]'") from None
    from opendpr.serving.service import Service
    from opendpr.serving.settings import Settings

    engine = engine_settings(index, allow_partial=allow_partial, collection=collection)
    running = RuntimeSettings(runtime, precision, device)
    directory = located(collection, model, running)
    name = collection.resolve().name
    settings = Settings(directory, model, running, engine=engine, allow_partial=allow_partial, name=name)
    run(Service(settings), settings.shown_name)
