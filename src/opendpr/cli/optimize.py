"""`opendpr optimize`: caches built anew."""

from __future__ import annotations

from opendpr.cli.options import CollectionArgument, WaitOption
from opendpr.cli.output import say


def optimize(collection: CollectionArgument, wait: WaitOption = 0) -> None:
    """Build the search caches of COLLECTION anew, after many changes.

    BM25 weighs words by how rare they are, and goes on counting documents that were replaced or removed until
    then. It never shows them.

    \b
    Example:
      opendpr optimize notes
    """
    from opendpr.collection import open_collection, open_writer
    from opendpr.ingest import optimize as rebuild

    open_collection(collection).close()  # a wrong directory should not become a collection
    with open_writer(collection, wait_seconds=wait) as writer:
        rebuild(writer)
        passages = writer.count_passages()
    say(f"{collection}: BM25 was built anew over {passages:,} passages")
