"""Titles of passages that have another than their document's: the headings above them.

They are a table that a writer makes with the first of them; a collection from before them is read without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apsw

from opendpr.text.sections import SECTIONS_KEY, parse_sections, passage_titles
from opendpr.types import Document

Select = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs a query."""

_TITLES_TABLE = "CREATE TABLE IF NOT EXISTS passage_titles(number INTEGER PRIMARY KEY, title TEXT NOT NULL)"
_PASSAGE = (
    "SELECT p.number, p.document, p.start, p.text, p.crc, d.id, {title} "
    "FROM passages p JOIN documents d ON d.row = p.document "
)
_DOCUMENT_TITLE = _PASSAGE.format(title="d.title")
_OWN_TITLE = _PASSAGE.format(
    title="coalesce((SELECT t.title FROM passage_titles t WHERE t.number = p.number), d.title)"
)


def passage_query(select: Select) -> str:
    """What selects the rows of passages, without a condition."""
    return _OWN_TITLE if has_titles(select) else _DOCUMENT_TITLE


def has_titles(select: Select) -> bool:
    """Whether the collection has the table."""
    return bool(select("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'passage_titles'"))


def put_titles(
    connection: apsw.Connection, document: Document, spans: Sequence[tuple[int, int]], first_number: int
) -> None:
    """Store the titles of a document's passages, if it has sections."""
    if sections := parse_sections(document.metadata.get(SECTIONS_KEY)):
        titles = enumerate(passage_titles(document.title, sections, spans), start=first_number)
        connection.execute(_TITLES_TABLE)
        connection.executemany("INSERT INTO passage_titles VALUES(?, ?)", list(titles))


def has_titles_as_now(connection: apsw.Connection, row: int, document: Document) -> bool:
    """Whether the passages of the document in a row have the titles they would get; older versions wrote others."""
    if not (sections := parse_sections(document.metadata.get(SECTIONS_KEY))):
        return True
    connection.execute(_TITLES_TABLE)
    rows = list(
        connection.execute(
            "SELECT p.start, p.text, t.title FROM passages p LEFT JOIN passage_titles t ON t.number = p.number "
            "WHERE p.document = ? ORDER BY p.number",
            (row,),
        )
    )
    spans = [(start, start + len(text)) for start, text, _ in rows]
    return [title for _, _, title in rows] == list(passage_titles(document.title, sections, spans))


def drop_titles(connection: apsw.Connection, row: int) -> None:
    """Remove the titles of the passages of the document in a row; the table is there."""
    connection.execute(
        "DELETE FROM passage_titles WHERE number IN (SELECT number FROM passages WHERE document = ?)", (row,)
    )
