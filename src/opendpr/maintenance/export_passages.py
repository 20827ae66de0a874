"""The passages of a collection, one by one, for files of other systems."""

from __future__ import annotations

from collections.abc import Iterator

from opendpr.collection import Collection
from opendpr.collection.lookup import served_passages
from opendpr.iteration import batched
from opendpr.types import Document

PASSAGES_READ = 1_000
"""Passages whose ids are fetched at once."""


def passage_documents(collection: Collection) -> Iterator[Document]:
    """Yield each passage as a document with the id that searches give; those not served yet are left out."""
    for passages in batched(served_passages(collection), PASSAGES_READ):
        ids = collection.passage_ids(passages)
        for passage in passages:
            yield Document(ids[passage.number], passage.title, passage.text)
