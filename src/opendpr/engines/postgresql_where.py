"""Filters compiled to PostgreSQL: comparisons of the labels in a jsonb column, with SQLite's results."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from opendpr.collection.filters import Comparison, Either, Missing, Not, Where
from opendpr.collection.labels import as_text, exact_number


class PostgresqlCondition(NamedTuple):
    """An SQL expression over the column `labels`, and the values of its `%s`."""

    sql: str
    values: tuple[object, ...]


def postgresql_condition(where: Where) -> PostgresqlCondition:
    """A filter as an SQL expression."""
    if isinstance(where, Missing):
        return PostgresqlCondition("(labels->%s IS NULL)", (where.name,))
    if isinstance(where, Comparison):
        return _compared(where)
    if isinstance(where, Not):
        inner = postgresql_condition(where.part)
        return PostgresqlCondition(f"(NOT coalesce({inner.sql}, false))", inner.values)
    parts = [postgresql_condition(part) for part in where.parts]
    word = " OR " if isinstance(where, Either) else " AND "
    return PostgresqlCondition(
        f"({word.join(part.sql for part in parts)})", tuple(v for part in parts for v in part.values)
    )


def _compared(where: Comparison) -> PostgresqlCondition:
    name, sign, value = where
    if sign == "like":
        return PostgresqlCondition("""(labels->%s->>'text' COLLATE "C" ILIKE %s ESCAPE '')""", (name, as_text(value)))
    if isinstance(value, str):
        return PostgresqlCondition(f"""((labels->%s->>'text') COLLATE "C" {sign} %s)""", (name, value))
    number = PostgresqlCondition(f"((labels->%s->'number')::numeric {sign} %s)", (name, _decimal(value)))
    if not isinstance(value, bool):
        return number
    # SQLite holds true for 1, and any text for larger than any number.
    if sign in ("!=", ">", ">="):
        return PostgresqlCondition(f"(labels->%s ? 'written' OR {number.sql})", (name, *number.values))
    return PostgresqlCondition(f"(NOT labels->%s ? 'written' AND {number.sql})", (name, *number.values))


def _decimal(value: float) -> Decimal:
    exact = exact_number(value)
    return Decimal(exact) if isinstance(exact, int) else Decimal(repr(exact))
