"""`opendpr remove`: documents out of a collection."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from opendpr.cli.located import located_to_write
from opendpr.cli.options import AsJson, CollectionToChange, WaitOption, WhereOption
from opendpr.cli.output import as_listed, print_json, report_unmet_filter, say
from opendpr.errors import UsageError
from opendpr.wording import counted


def remove(
    collection: CollectionToChange,
    ids: Annotated[list[str] | None, Argument(help="Ids of documents.", show_default=False)] = None,
    where: WhereOption = None,
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Remove documents from COLLECTION, by id or by filter.

    If one of the ids is unknown, nothing is removed.

    \b
    Examples:
      opendpr remove notes letter.txt old/draft.md
      opendpr remove notes --where "year < 2010"
      opendpr remove notes -- -2.txt               (an id that begins with a hyphen)
    """
    from opendpr.collection import open_collection, open_writer
    from opendpr.collection.where import compile_where
    from opendpr.maintenance.remove import chosen_documents
    from opendpr.maintenance.remove import remove as take_out

    if bool(ids) == bool(where):
        raise UsageError("give either ids of documents or --where, one of the two")
    condition = compile_where(where) if where else None
    open_collection(
        located_to_write(collection, "remove documents")
    ).close()  # a wrong directory should not become a collection
    with open_writer(collection, wait_seconds=wait) as writer:
        chosen = chosen_documents(writer, [as_listed(writer, id) for id in ids or []], condition)
        if not chosen:
            report_unmet_filter(writer, where)
        take_out(writer, chosen)
        counts = writer.counts()
    if as_json:
        print_json({"removed": chosen, "collection": counts})
    else:
        say(f"removed {counted(len(chosen), 'document')}, {counts['documents']:,} left")
