"""`opendpr backup`: a copy of a collection, while it is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from opendpr.cli.located import located
from opendpr.cli.options import AsJson, CollectionArgument
from opendpr.cli.output import print_json, say
from opendpr.wording import readable_size


def backup(
    collection: CollectionArgument,
    destination: Annotated[Path, Argument(help="Directory to write; must not exist.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Copy COLLECTION, as one of its states, to DESTINATION, which is a collection then.

    A writer may be at work meanwhile. Caches are not copied: the next 'opendpr add' writes that of
    the words, 'opendpr optimize' that of the vectors.

    \b
    Example:
      opendpr backup notes /mnt/usb/notes-2026-05-01
    """
    from opendpr.collection import open_collection
    from opendpr.collection.backup import write_backup

    with open_collection(located(collection, vectors=False, silent=as_json)) as opened:
        version = write_backup(opened, destination)
    size = sum(path.stat().st_size for path in destination.iterdir())
    if as_json:
        print_json({"destination": str(destination), "version": version, "bytes": size})
    else:
        say(f"wrote {destination}: version {version}, {readable_size(size)}")
