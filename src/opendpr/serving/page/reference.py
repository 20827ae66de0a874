"""The page of the API, out of its OpenAPI description: no script, nothing from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from opendpr.serving.rendering import render

Schema = Mapping[str, Any]

FORM_TYPE = "multipart/form-data"
SAMPLE_VALUES: Mapping[str, object] = {
    "question": "Who built the pier?",
    "text": "The pier was built by Marta Lindqvist.",
    "id": "pier.txt",
    "documents": [{"id": "pier.txt", "text": "The pier was built by Marta Lindqvist."}],
}
"""Values of required fields in the examples."""


class Field(NamedTuple):
    """A parameter, or a field of a body."""

    name: str
    where: str
    kind: str
    meaning: str


class Operation(NamedTuple):
    """What the page says about one method of one path."""

    name: str
    anchor: str
    description: str
    fields: list[Field]
    curl: str
    status: str
    example: str
    """An answer; empty if it has no example."""


def reference_page(openapi: Schema, base: str) -> str:
    """The whole page; `base` is the address of the service as the browser sees it."""
    operations = [
        _operation(path, method, operation, openapi=openapi, base=base)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    return render("reference.html.jinja", wide=True, description=openapi["info"]["description"], operations=operations)


def _operation(path: str, method: str, operation: Schema, *, openapi: Schema, base: str) -> Operation:
    fields = [
        _field(parameter["name"], parameter["in"], parameter["schema"], parameter)
        for parameter in operation.get("parameters", [])
    ]
    body = _content(operation.get("requestBody", {}), openapi)
    if body:
        required = body.get("required", [])
        fields += [
            _field(name, "body", schema, {**schema, "required": name in required})
            for name, schema in body["properties"].items()
        ]
    status, answer = next(iter(operation["responses"].items()))
    return Operation(
        name=f"{method.upper()} {path}",
        anchor=f"{method}{path}".replace("/", "-").strip("{}"),
        description=operation["description"],
        fields=fields,
        curl=_curl(path, method, body, base),
        status=status,
        example=_example(answer),
    )


def _content(message: Schema, openapi: Schema) -> Schema | None:
    """The schema of a body: of JSON, or of a form's fields; None without one."""
    content = message.get("content", {})
    schema = content.get("application/json", content.get(FORM_TYPE, {})).get("schema")
    if not schema or "$ref" not in schema:
        return schema or None
    resolved: Schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return resolved


def _example(answer: Schema) -> str:
    example = answer.get("content", {}).get("application/json", {}).get("example")
    return json.dumps(example, indent=2, ensure_ascii=False) if example else ""


def _field(name: str, where: str, schema: Schema, description: Schema) -> Field:
    meaning = description.get("description", "") + " Required." * bool(description.get("required"))
    if schema.get("default") not in (None, "", {}):
        meaning += f" Default {json.dumps(schema['default'])}."
    return Field(name, where, _kind(schema), meaning)


def _kind(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    limits = [
        f"{word} {schema[key]:,.0f}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "up to"), ("maxItems", "up to"))
        if schema.get(key)
    ]
    return " ".join([str(schema.get("type", "object")), *limits])


def _curl(path: str, method: str, body: Schema | None, base: str) -> str:
    url = base + path.replace("{id}", "pier.txt" if "documents" in path else "JOB")
    command = "curl" + (f" -X {method.upper()}" if method in ("put", "delete") else "") + f" {url}"
    if body is None:
        return command
    if "files" in body["properties"]:
        return f"{command} -F files=@manual.pdf"
    sample = {name: SAMPLE_VALUES[name] for name in body.get("required", [])}
    return f"{command} \\\n  --json '{json.dumps(sample)}'"
