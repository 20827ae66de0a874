"""Removing documents."""

from __future__ import annotations

from collections.abc import Sequence

from opendpr.collection import Writer
from opendpr.search.bm25 import update_bm25


def remove(writer: Writer, ids: Sequence[str]) -> None:
    """Remove documents, all or none of them, and bring the BM25 cache up to date."""
    writer.remove_documents(ids)
    update_bm25(writer)
