"""The passages of a collection, one by one, for files of other systems."""

from __future__ import annotations

from collections.abc import Iterator

from opendpr.collection import Collection
from opendpr.iteration import batched
from opendpr.types import Document

PASSAGES_READ = 1_000
"""Passages whose ids are fetched at once."""


def served_passages(collection: Collection) -> Iterator[Document]:
    """Yield each passage as a document with the id that searches give; those not served yet are left out."""
    hidden = set(collection.hidden().tolist())
    for passages in batched(collection.passages_after(0), PASSAGES_READ):
        served = [passage for passage in passages if passage.number not in hidden]
        ids = collection.passage_ids(served)
        for passage in served:
            yield Document(ids[passage.number], passage.title, passage.text)
