"""`opendpr list`: the documents of a collection."""

from __future__ import annotations

from dataclasses import asdict

from opendpr.cli.options import AsJson, CollectionArgument
from opendpr.cli.output import many, print_json, put


def list_documents(collection: CollectionArgument, as_json: AsJson = False) -> None:
    """List the documents of COLLECTION in order of id.

    \b
    Example:
      opendpr list notes
    """
    from opendpr.collection import open_collection

    with open_collection(collection) as opened:
        for summary in opened.summaries():
            if as_json:
                print_json(asdict(summary))
            else:
                sizes = f"{many(summary.passages, 'passage')}\t{many(summary.characters, 'character')}"
                put(f"{summary.id}\t{summary.title}\t{sizes}")
