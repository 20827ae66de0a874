"""Forms of the page of the API, which send a request of each operation; `try.js` sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

SAMPLE_VALUES: Mapping[str, object] = {
    "question": "Who built the pier?",
    "text": "The pier was built by Marta Lindqvist.",
    "id": "pier.txt",
    "documents": [{"id": "pier.txt", "text": "The pier was built by Marta Lindqvist."}],
}
"""Values of required fields in the examples."""
SAMPLE_ANSWER = {"document_id": "pier.txt", "start": 22, "end": 37, "text": "Marta Lindqvist"}
SAMPLE_BODIES: Mapping[str, Schema] = {
    "/v1/judgements": {"question": SAMPLE_VALUES["question"], "verdict": "right", "answer": SAMPLE_ANSWER}
}
"""Whole bodies by path, where what is required says something else: a judgement without an answer is one of none.

They are about the document of the examples: a collection without it, or with other words there, refuses them.
"""
WRITING_METHODS = ("put", "delete")
"""Methods that change the document of an id: their forms name the one of the examples, never one that is there."""


class Input(NamedTuple):
    """A field of a form, for a parameter."""

    name: str
    where: str
    value: str
    is_number: bool
    filled_by: str
    """What it takes the id of, where an answer brings that: `job` or `improvement`; else empty."""


class RequestForm(NamedTuple):
    """What can be sent to one operation."""

    method: str
    path: str
    inputs: list[Input]
    body: str
    """JSON to begin with; empty without a body."""
    takes_files: bool


def request_form(path: str, method: str, operation: Schema, *, body: Schema | None, samples: Schema) -> RequestForm:
    """The form of an operation, filled in.

    Args:
        body: the schema of what is sent; None without
        samples: values of this collection by name, where they serve better than those of the examples
    """
    parameters: Sequence[Schema] = operation.get("parameters", [])
    takes_files = body is not None and "files" in body["properties"]
    content = (
        "" if body is None or takes_files else json.dumps(_body(path, body, samples), indent=2, ensure_ascii=False)
    )
    inputs = [_input(path, method, parameter, samples) for parameter in parameters]
    return RequestForm(method.upper(), path, inputs, content, takes_files)


def _input(path: str, method: str, parameter: Schema, samples: Schema) -> Input:
    schema, name, where = parameter["schema"], parameter["name"], parameter["in"]
    kinds = [option.get("type") for option in schema.get("anyOf", [schema])]
    filled_by = next((kind for kind in ("job", "improvement") if where == "path" and f"/{kind}s/" in path), "")
    value = schema.get("default")
    if where == "path" and "documents" in path:
        value = (SAMPLE_VALUES if method in WRITING_METHODS else {**SAMPLE_VALUES, **samples})[name]
    return Input(name, where, "" if value is None else str(value), "integer" in kinds, filled_by)


def sample_body(path: str, body: Schema, samples: Schema) -> Schema:
    """What is required, with sample values; the whole body where that alone says something else."""
    values = {**SAMPLE_VALUES, **samples}
    return SAMPLE_BODIES.get(path) or {name: values.get(name, "") for name in body.get("required", [])}


def _body(path: str, body: Schema, samples: Schema) -> dict[str, object]:
    """The sample, and the defaults that are not empty."""
    required = body.get("required", [])
    defaults = {name: schema.get("default") for name, schema in body["properties"].items() if name not in required}
    kept = {name: value for name, value in defaults.items() if value not in (None, "", {})}
    return {**sample_body(path, body, samples), **kept}
