"""`opendpr list`: the documents of a collection."""

from __future__ import annotations

from dataclasses import asdict

from opendpr.cli.located import located
from opendpr.cli.options import AsJson, CollectionArgument
from opendpr.cli.output import on_one_line, print_json, put
from opendpr.wording import counted


def list_documents(collection: CollectionArgument, as_json: AsJson = False) -> None:
    """List the documents of COLLECTION in order of id.

    \b
    Example:
      opendpr list notes
    """
    from opendpr.collection import open_collection

    with open_collection(located(collection, vectors=False, silent=as_json)) as opened:
        for summary in opened.summaries():
            if as_json:
                print_json(asdict(summary))
            else:
                names = f"{on_one_line(summary.id)}\t{on_one_line(summary.title)}"
                put(f"{names}\t{counted(summary.passages, 'passage')}\t{counted(summary.characters, 'character')}")
