"""Filters compiled to Milvus's expressions: comparisons of the labels in a JSON field, with SQLite's results."""

from __future__ import annotations

import json
from typing import Any

from opendpr.collection.filters import Comparison, Either, Missing, Not, Where
from opendpr.collection.labels import Labels, exact_number
from opendpr.engines.engine import InexpressibleError

PRESENT, PARTS = "present", "labels"
"""Keys of the field: a list of `part:name`, and the labels by name."""
MILVUS_INTEGERS = range(-(2**63), 2**63)
"""Whole numbers that Milvus holds exactly; larger ones become floating-point numbers."""


def milvus_expression(where: Where) -> str:
    """A filter as an expression over the field `labels`.

    Raises:
        InexpressibleError: Milvus's `like` distinguishes capitals, ours does not.
    """
    if isinstance(where, Missing):
        return f"(not {_has(where.name, 'text')})"
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
        return _met(name, "text", sign, json.dumps(value, ensure_ascii=False))
    number = _met(name, "number", sign, str(milvus_number(value)))
    if not isinstance(value, bool):
        return number
    # SQLite holds true for 1, and any text for larger than any number.
    written = _has(name, "written")
    return f"({written} or {number})" if sign in ("!=", ">", ">=") else f"((not {written}) and {number})"


def _met(name: str, part: str, sign: str, value: str) -> str:
    """A comparison that a missing key does not meet, whatever Milvus makes of comparisons with nothing."""
    path = f"labels[{json.dumps(PARTS)}][{json.dumps(name, ensure_ascii=False)}][{json.dumps(part)}]"
    return f"({_has(name, part)} and {path} {'==' if sign == '=' else sign} {value})"


def _has(name: str, part: str) -> str:
    return f"json_contains(labels[{json.dumps(PRESENT)}], {json.dumps(f'{part}:{name}', ensure_ascii=False)})"


def milvus_number(value: float) -> int | float:
    """A number as Milvus can hold it."""
    exact = exact_number(value)
    return int(exact) if isinstance(exact, int) and exact in MILVUS_INTEGERS else float(exact)


def held_labels(labels: Labels) -> dict[str, Any]:
    """Labels as the field `labels` holds them: what is there, and its values, in numbers that Milvus has."""
    parts = {
        name: {**label, "number": milvus_number(label["number"])} if "number" in label else {**label}
        for name, label in labels.items()
    }
    return {PRESENT: [f"{part}:{name}" for name, label in parts.items() for part in label], PARTS: parts}
