"""`opendpr divide`: a collection into a set of collections."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from typer import Option

from opendpr.cli.located import located_to_write
from opendpr.cli.options import AsJson, CollectionToChange, WaitOption
from opendpr.cli.output import print_json, say
from opendpr.cli.progress import stages
from opendpr.wording import counted


def divide(
    collection: CollectionToChange,
    output: Annotated[
        Path, Option("--output", "-o", help="Directory of the set to write; must not exist.", show_default=False)
    ],
    parts: Annotated[
        int, Option("--parts", min=2, max=1024, help="Members of the set; their number is fixed.", show_default=False)
    ],
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Divide COLLECTION into a set of collections, by the hash of the documents' ids.

    The set is a directory that all other commands take as they take a collection; its members may be moved to other
    disks and linked. COLLECTION stays as it is. Interrupted, the same command goes on.

    \b
    Example:
      opendpr divide wiki -o wiki-set --parts 4
    """
    from opendpr.collection import open_collection, open_writer
    from opendpr.maintenance.divide import divide as divide_into

    open_collection(located_to_write(collection, "divide them")).close()  # a wrong directory should not become one
    with open_writer(collection, wait_seconds=wait) as writer, stages("documents", silent=as_json) as show:
        divided = divide_into(writer, output, parts, show)
    if as_json:
        print_json({"collection": str(collection), "output": str(output), **asdict(divided)})
        return
    what = f"{counted(divided.documents, 'document')}, {counted(divided.passages, 'passage')}"
    say(f"{output}: a set of {divided.members} members, {what}; compared with {collection}, all the same")
