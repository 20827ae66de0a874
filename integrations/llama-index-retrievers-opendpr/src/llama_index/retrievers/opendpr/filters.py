"""LlamaIndex's filters on metadata in the words of opendpr's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

import opendpr

SIGNS: Mapping[FilterOperator, str] = {
    FilterOperator.EQ: "=",
    FilterOperator.NE: "!=",
    FilterOperator.GT: ">",
    FilterOperator.GTE: ">=",
    FilterOperator.LT: "<",
    FilterOperator.LTE: "<=",
}
NAMES: Mapping[str, str] = {"document_id": "id"}
"""Keys of a node's metadata that opendpr's filters call differently."""
NEVER = "id is null"
"""A filter that no document meets."""


def where_of(filters: MetadataFilters | None, where: str | None = None) -> str | None:
    """Both filters as one of opendpr; None if there is none.

    A document that lacks the key meets no comparison with it.

    Raises:
        opendpr.UsageError: an operator is not one that opendpr has.
    """
    parts = [f"({part})" for part in (where, filters and _joined(filters)) if part]
    return " and ".join(parts) or None


def _joined(filters: MetadataFilters) -> str:
    """Several filters; of none, the text is empty."""
    written = (_joined(part) if isinstance(part, MetadataFilters) else _compared(part) for part in filters.filters)
    parts = [f"({part})" for part in written if part]
    if filters.condition == FilterCondition.NOT:
        return f"not ({' and '.join(parts)})" if parts else ""
    return f" {'or' if filters.condition == FilterCondition.OR else 'and'} ".join(parts)


def _compared(part: MetadataFilter) -> str:
    name, value = NAMES.get(part.key, part.key), part.value
    if part.operator == FilterOperator.IS_EMPTY:
        return f"{_quoted(name)} is null"
    if part.operator == FilterOperator.IN:
        return " or ".join(opendpr.condition(name, "=", option) for option in _options(part)) or NEVER
    if part.operator == FilterOperator.NIN:
        conditions = [opendpr.condition(name, "!=", option) for option in _options(part)]
        return " and ".join(conditions) or f"not {NEVER}"
    if part.operator not in SIGNS or value is None or isinstance(value, list):
        operators = ", ".join(operator.value for operator in (*SIGNS, FilterOperator.IN, FilterOperator.NIN))
        raise opendpr.UsageError(
            f"the filter {part.key} {part.operator.value} {value!r} cannot be searched by; compare a key with one "
            f"value by {operators} or is_empty, or give opendpr's own filter as where="
        )
    return opendpr.condition(name, SIGNS[part.operator], value)


def _options(part: MetadataFilter) -> list[Any]:
    if not isinstance(part.value, list):
        raise opendpr.UsageError(f"{part.key} {part.operator.value} takes a list of values, got {part.value!r}")
    return list(part.value)


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
