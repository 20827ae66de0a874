"""Removing documents."""

from __future__ import annotations

from collections.abc import Sequence

from opendpr.collection import Writer
from opendpr.collection.selection import matching_documents
from opendpr.collection.where import SqliteCondition
from opendpr.errors import InputError
from opendpr.search.bm25 import update_bm25


def chosen_documents(writer: Writer, ids: Sequence[str], condition: SqliteCondition | None) -> list[str]:
    """Ids of the documents to remove: those that meet a filter, or without one those that are named, each once.

    Raises:
        InputError: there is no document of such an id.
    """
    if condition:
        return matching_documents(writer, condition)
    chosen = list(dict.fromkeys(ids))
    if unknown := [id for id in chosen if not writer.has_document(id)]:
        raise InputError(
            f"{writer.directory} has no document {unknown[0]!r}, so nothing was removed; "
            "'opendpr list' names those it has"
        )
    return chosen


def remove(writer: Writer, ids: Sequence[str]) -> None:
    """Remove documents, all or none of them, and bring the BM25 cache up to date."""
    writer.remove_documents(ids)
    update_bm25(writer)
