"""`opendpr cache`: the cached collections of folders and files, and compiled networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from opendpr.cli.options import AsJson
from opendpr.cli.output import on_one_line, print_json, put, say
from opendpr.errors import StateError, UsageError
from opendpr.wording import counted, readable_size

if TYPE_CHECKING:
    from opendpr.maintenance.folder_caches import CachedFolder


def cache(
    folders: Annotated[
        list[Path] | None, Argument(help="Folders or files; all if none is named.", show_default=False)
    ] = None,
    clear: Annotated[bool, Option("--clear", help="Remove the cached collections of the folders named.")] = False,
    clear_all: Annotated[bool, Option("--clear-all", help="Remove all, and the compiled networks.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the cached collections of folders and files that were asked, or remove them.

    A removed one is rebuilt when its folder is asked again. The documents themselves are never touched. Networks
    as they were compiled for this processor are kept beside them, and counted in the last line.

    \b
    Examples:
      opendpr cache
      opendpr cache --clear ./docs
      opendpr cache --clear-all
    """
    from opendpr.maintenance.folder_caches import cached_folders, clear_caches
    from opendpr.model.compiled import clear_networks, kept_networks

    if clear_all and (clear or folders):
        raise UsageError("--clear-all removes the caches of all folders; name none, and leave out --clear")
    if clear and not folders:
        raise UsageError("--clear needs the folders whose caches are to be removed; --clear-all removes all")
    chosen = _caches_of(folders, cached_folders()) if folders else cached_folders()
    networks = {} if folders else kept_networks()
    if clear or clear_all:
        clear_caches(chosen)
        clear_networks(networks)
    if as_json:
        for cached in chosen:
            print_json({**cached._asdict(), "directory": str(cached.directory), "cleared": clear or clear_all})
        for path, size in networks.items():
            print_json({"network": str(path), "size_bytes": size, "cleared": clear_all})
        return
    totals = (
        f"{counted(len(chosen), 'cached collection')}, {readable_size(sum(folder.size_bytes for folder in chosen))}"
    )
    if networks:
        totals += f"; {counted(len(networks), 'compiled network')}, {readable_size(sum(networks.values()))}"
    if clear or clear_all:
        say(f"removed {totals}")
        return
    for cached in chosen:
        passages = "unreadable" if cached.passages is None else counted(cached.passages, "passage")
        name = on_one_line(cached.source or str(cached.directory))
        put(f"{name}\t{readable_size(cached.size_bytes)}\t{passages}\t{cached.last_use}")
    say(totals)


def _caches_of(folders: list[Path], caches: list[CachedFolder]) -> list[CachedFolder]:
    """The cached collections of folders, of any model.

    Raises:
        StateError: a folder has none.
    """
    chosen: list[CachedFolder] = []
    for folder in folders:
        matching = [cached for cached in caches if cached.source == str(folder.resolve())]
        if not matching:
            raise StateError(f"{folder} has no cached collection; 'opendpr cache' lists the folders that have one")
        chosen += matching
    return chosen
