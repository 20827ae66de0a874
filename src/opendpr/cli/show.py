"""`opendpr show`: a document's text, or a part of it."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from opendpr.cli.located import located
from opendpr.cli.options import AsJson, CollectionArgument
from opendpr.cli.output import as_listed, print_json, put
from opendpr.errors import UsageError
from opendpr.wording import counted


def show(
    collection: CollectionArgument,
    id: Annotated[str, Argument(help="A document's id, as 'opendpr list' shows it.", show_default=False)],
    start: Annotated[int, Option("--start", min=0, help="First character to show.")] = 0,
    end: Annotated[int | None, Option("--end", min=0, help="The one after the last.", show_default="all")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the text of a document, exactly as it was added.

    --start and --end take the offsets that 'opendpr ask --json' gives.

    \b
    Examples:
      opendpr show notes letter.txt
      opendpr show notes letter.txt --start 120 --end 134
      opendpr show notes -- -2.txt                 (an id that begins with a hyphen)
    """
    from opendpr.collection import open_collection

    with open_collection(located(collection, vectors=False, silent=as_json)) as opened:
        document = opened.document(as_listed(opened, id))
    length = len(document.text)
    if start > length or (end is not None and not start <= end <= length):
        raise UsageError(
            f"{id} has {counted(length, 'character')}; "
            f"characters {start} to {length if end is None else end} are no part of it"
        )
    text = document.text[start:end]
    if as_json:
        print_json(
            {
                "id": document.id,
                "title": document.title,
                "metadata": dict(document.metadata),
                "start": start,
                "text": text,
            }
        )
    else:
        put(text, end="" if text.endswith("\n") else "\n")
