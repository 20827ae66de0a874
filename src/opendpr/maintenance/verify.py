"""Reading every byte of a collection and of the caches beside it, and comparing it with its checksum."""

from __future__ import annotations

from opendpr.collection import Collection
from opendpr.collection.collection_set import misplaced
from opendpr.collection.verify import verify_store
from opendpr.iteration import OnProgress
from opendpr.search.bm25 import verify_bm25
from opendpr.search.dense import verify_dense


def verify(collection: Collection, on_progress: OnProgress = lambda done, total: None) -> list[str]:
    """What is damaged, an empty list if nothing is; caches are read once the store is whole.

    Args:
        on_progress: called with rows read and rows in all
    """
    problems = []
    for part in collection.parts:
        problems += verify_store(part, on_progress) or verify_bm25(part) + verify_dense(part)
    return problems or misplaced(collection)
