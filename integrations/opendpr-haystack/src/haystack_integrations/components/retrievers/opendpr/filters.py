"""Haystack's filters on metadata in the words of opendpr's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haystack.errors import FilterError

import opendpr

SIGNS: Mapping[str, str] = {"==": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
NAMES: Mapping[str, str] = {"document_id": "id"}
"""Keys of a document's metadata that opendpr's filters call differently."""
FIELDS = frozenset({"id", "content", "blob", "score", "embedding", "sparse_embedding"})
"""Fields of a Haystack document that are not of its metadata."""
NEVER = "id is null"
"""A filter that no document meets."""


def where_of(filters: Mapping[str, Any] | None, where: str | None = None) -> str | None:
    """Both filters as one of opendpr; None if there is none.

    As everywhere in Haystack, `!=` and `not in` are also met by a document that lacks the key.

    Raises:
        FilterError: these are no filters of Haystack, or they compare what is not metadata.
    """
    parts = [f"({part})" for part in (where, _written(filters) if filters else None) if part]
    return " and ".join(parts) or None


def _written(part: Mapping[str, Any]) -> str:
    if "field" in part:
        return _compared(part)
    conditions, operator = part.get("conditions"), part.get("operator")
    if not isinstance(conditions, list) or operator not in ("AND", "OR", "NOT"):
        raise FilterError(
            "expected filters as {'field': 'meta.year', 'operator': '>=', 'value': 2019}, or conditions joined by the "
            f"operator AND, OR or NOT, got {dict(part)!r}"
        )
    written = [f"({_written(condition)})" for condition in conditions]
    if operator == "OR":
        return " or ".join(written) or NEVER
    every = " and ".join(written) or f"not {NEVER}"
    return f"not ({every})" if operator == "NOT" else every


def _compared(part: Mapping[str, Any]) -> str:
    missing = {"operator", "value"} - part.keys()
    if missing:
        raise FilterError(f"the condition {dict(part)!r} lacks {' and '.join(sorted(missing))}")
    name, operator, value = _name(part["field"]), part["operator"], part["value"]
    if operator in ("in", "not in"):
        if not isinstance(value, list):
            raise FilterError(f"{part['field']} {operator} takes a list of values, got {value!r}")
        any_of = " or ".join(_comparison(name, "=", option) for option in value) or NEVER
        return any_of if operator == "in" else f"not ({any_of})"
    if operator == "!=":
        return f"not ({_comparison(name, '=', value)})"
    if operator not in SIGNS:
        raise FilterError(f"expected one of the operators {', '.join(SIGNS)}, !=, in, not in, got {operator!r}")
    return _comparison(name, SIGNS[operator], value)


def _comparison(name: str, sign: str, value: Any) -> str:
    if value is None and sign == "=":
        return '"{}" is null'.format(name.replace('"', '""'))
    try:
        return opendpr.condition(name, sign, value)
    except opendpr.UsageError as error:
        raise FilterError(str(error)) from None


def _name(field: object) -> str:
    if not isinstance(field, str) or field in FIELDS:
        raise FilterError(f"expected the name of a key of the metadata, as meta.year, got {field!r}")
    key = field.removeprefix("meta.")
    return NAMES.get(key, key)
