"""Filters on metadata compiled to SQLite's SQL, with bound values; `filters.py` has their grammar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from opendpr.collection.filters import Comparison, Either, Missing, Not, Value, Where, names_of, parse_where

COLUMN_OF_NAME = {"id": "d.id", "title": "d.title"}
"""Names that are columns of `documents`; all others are keys of the metadata."""


class SqliteCondition(NamedTuple):
    """An SQL expression over `documents d`, and the values of its question marks."""

    sql: str
    values: tuple[Value, ...]


def compile_where(text: str) -> SqliteCondition:
    """Compile a filter.

    Raises:
        UsageError: it is not of the form that `filters.py` gives.
    """
    return condition_of(parse_where(text))


def filter_names(text: str) -> list[str]:
    """The metadata names that a filter uses, each once, in order; raises as `compile_where`."""
    return list(dict.fromkeys(names_of(parse_where(text))))


def condition_of(where: Where) -> SqliteCondition:
    """A filter as an SQL expression."""
    if isinstance(where, Missing):
        column, bound = _column(where.name)
        return SqliteCondition(f"({column} IS NULL)", bound)
    if isinstance(where, Comparison):
        return _compared(where)
    if isinstance(where, Not):
        inner = condition_of(where.part)
        return SqliteCondition(f"(NOT coalesce({inner.sql}, 0))", inner.values)
    return _joined("OR" if isinstance(where, Either) else "AND", [condition_of(part) for part in where.parts])


def as_number(value: object) -> float | int | None:
    """The number that a metadata value is, or None; the SQL function `as_number`."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _compared(where: Comparison) -> SqliteCondition:
    column, bound = _column(where.name)
    sign, value = where.sign.upper(), where.value
    if sign == "LIKE":
        return SqliteCondition(f"({column} LIKE ?)", (*bound, value))
    if isinstance(value, bool):
        return SqliteCondition(f"({column} {sign} ?)", (*bound, int(value)))
    if isinstance(value, str):
        return SqliteCondition(f"(CAST({column} AS TEXT) {sign} ?)", (*bound, value))
    return SqliteCondition(f"(as_number({column}) {sign} ?)", (*bound, value))


def _column(name: str) -> tuple[str, tuple[Value, ...]]:
    if name in COLUMN_OF_NAME:
        return COLUMN_OF_NAME[name], ()
    return "(SELECT value FROM json_each(d.metadata) WHERE key = ?)", (name,)


def _joined(word: str, parts: Sequence[SqliteCondition]) -> SqliteCondition:
    """Conditions joined as a tree: SQLite takes no expression that is more than 1,000 deep."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    left, right = _joined(word, parts[:middle]), _joined(word, parts[middle:])
    return SqliteCondition(f"({left.sql} {word} {right.sql})", left.values + right.values)
