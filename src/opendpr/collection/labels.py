"""What filters compare, in the form in which another store can hold it and compare it to the same result."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TypedDict

import apsw

from opendpr.collection.collection import QUERY_ROWS, Collection
from opendpr.collection.filters import Value
from opendpr.types import Numbers

LARGEST_LABEL_NUMBER = int(sys.float_info.max)
"""Stands for infinity, which JSON does not have."""


class Label(TypedDict, total=False):
    """A value of the metadata, or the id or the title."""

    text: str
    """The value as SQLite prints it."""
    number: int | float
    """The value as a number, if it is or reads as one; whole numbers as integers, which are exact everywhere."""
    written: bool
    """True if the value is text in the metadata."""


Labels = dict[str, Label]
"""The labels of a document by name, without keys whose value is null."""


def labels_of(collection: Collection, numbers: Numbers) -> dict[int, Labels]:
    """The labels of each of these passages' documents, by passage; passages of one document share one mapping."""
    documents: dict[int, int] = {}
    for part in _parts(numbers.tolist()):
        query = f"SELECT number, document FROM passages WHERE number IN ({_marks(part)})"
        documents.update(collection.select(query, part))
    rows = _labels(collection, sorted(set(documents.values())))
    return {number: rows[document] for number, document in documents.items() if document in rows}


def _labels(collection: Collection, rows: Sequence[int]) -> dict[int, Labels]:
    labels_by_row: dict[int, Labels] = {}
    for part in _parts(rows):
        marks = _marks(part)
        values = (
            "SELECT d.row, e.key, CAST(e.value AS TEXT), as_number(e.value), typeof(e.value) FROM documents d, "
            f"json_each(d.metadata) e WHERE d.row IN ({marks}) AND e.value IS NOT NULL"
        )
        for row, key, text, number, kind in collection.select(values, part):
            labels_by_row.setdefault(row, {})[key] = _label(text, number, written=kind == "text")
        columns = f"SELECT row, id, title, as_number(id), as_number(title) FROM documents WHERE row IN ({marks})"
        for row, id, title, id_number, title_number in collection.select(columns, part):
            labels = labels_by_row.setdefault(row, {})
            labels["id"] = _label(id, id_number, written=True)
            labels["title"] = _label(title, title_number, written=True)
    return labels_by_row


def _label(text: str, number: float | int | None, *, written: bool) -> Label:
    label: Label = {"text": text.replace("\0", "\ufffd")}  # PostgreSQL has no such character
    if number is not None and not math.isnan(number):
        label["number"] = exact_number(number)
    if written:
        label["written"] = True
    return label


def exact_number(number: float | int) -> int | float:
    """The same number, in the one form that labels and the constants of filters are compared in."""
    if isinstance(number, float):
        if math.isinf(number):
            return LARGEST_LABEL_NUMBER if number > 0 else -LARGEST_LABEL_NUMBER
        return int(number) if number.is_integer() else number
    return number


def as_text(value: Value) -> str:
    """A constant of a filter as SQLite prints it."""
    if isinstance(value, str):
        return value
    return str(apsw.Connection(":memory:").execute("SELECT CAST(? AS TEXT)", (value,)).get)


def _parts(items: Sequence[int]) -> list[Sequence[int]]:
    return [items[first : first + QUERY_ROWS] for first in range(0, len(items), QUERY_ROWS)]


def _marks(items: Sequence[int]) -> str:
    return ",".join("?" * len(items))
