"""Filters compiled to Milvus's expressions: comparisons of the labels in a JSON field, with SQLite's results."""

from __future__ import annotations

import json

from opendpr.collection.filters import Comparison, Either, Missing, Not, Where
from opendpr.collection.labels import exact_number
from opendpr.engines.engine import InexpressibleError

INTEGERS = range(-(2**63), 2**63)
"""Milvus's; larger ones become floating-point numbers."""


def milvus_expression(where: Where) -> str:
    """A filter as an expression over the field `labels`.

    Raises:
        InexpressibleError: Milvus's `like` looks at capitals, ours does not.
    """
    if isinstance(where, Missing):
        return f"(not exists {_path(where.name, 'text')})"
    if isinstance(where, Comparison):
        return _compared(where)
    if isinstance(where, Not):
        return f"(not {milvus_expression(where.part)})"
    word = " or " if isinstance(where, Either) else " and "
    return f"({word.join(milvus_expression(part) for part in where.parts)})"


def _compared(where: Comparison) -> str:
    name, sign, value = where
    if sign == "like":
        raise InexpressibleError("like")
    if isinstance(value, str):
        return _met(_path(name, "text"), sign, json.dumps(value, ensure_ascii=False))
    number = _met(_path(name, "number"), sign, str(milvus_number(value)))
    if not isinstance(value, bool):
        return number
    # SQLite holds true for 1, and any text for larger than any number.
    written = f"exists {_path(name, 'written')}"
    return f"({written} or {number})" if sign in ("!=", ">", ">=") else f"(not {written} and {number})"


def _met(path: str, sign: str, value: str) -> str:
    """A comparison that a missing key does not meet."""
    if sign == "!=":
        return f"(exists {path} and not ({path} == {value}))"
    return f"(exists {path} and {path} {'==' if sign == '=' else sign} {value})"


def milvus_number(value: float) -> int | float:
    """A number as Milvus can hold it."""
    exact = exact_number(value)
    return exact if isinstance(exact, int) and exact in INTEGERS else float(exact)


def _path(name: str, part: str) -> str:
    return f'labels[{json.dumps(name, ensure_ascii=False)}]["{part}"]'
