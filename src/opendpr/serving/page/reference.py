"""The page of the API, out of its OpenAPI description, with a form for each operation; nothing is from outside."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import NamedTuple

from opendpr.serving.page.trying import RequestForm, Schema, request_form, sample_body
from opendpr.serving.rendering import render

FORM_TYPE = "multipart/form-data"
NO_SAMPLES: Schema = MappingProxyType({})


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
    form: RequestForm


def reference_page(
    openapi: Schema, base: str, samples: Schema = NO_SAMPLES, *, needs_token: bool = False, improves: bool = False
) -> str:
    """The whole page.

    Args:
        base: the address of the service as the browser sees it
        samples: values of this collection by name, for the forms
        needs_token: whether requests are refused without a token
        improves: whether the bar leads to the page on which a better model is made
    """
    operations = [
        _operation(path, method, operation, openapi=openapi, base=base, samples=samples)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    problem = openapi["components"]["schemas"].get("Problem", {}).get("examples", [])
    return render(
        "reference.html.jinja",
        wide=True,
        improves=improves,
        description=openapi["info"]["description"],
        operations=operations,
        problem=_indented(problem[0]) if problem else "",
        needs_token=needs_token,
    )


def _operation(path: str, method: str, operation: Schema, *, openapi: Schema, base: str, samples: Schema) -> Operation:
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
        form=request_form(path, method, operation, body=body, samples=samples),
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
    examples = [content["example"] for content in answer.get("content", {}).values() if "example" in content]
    example = examples[0] if examples else ""
    return example if isinstance(example, str) else _indented(example)


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


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
    url = base + path.replace("{id}", _sample_id(path))
    command = "curl" + (f" -X {method.upper()}" if method in ("put", "delete") else "") + f" {url}"
    if body is None:
        return command
    if "files" in body["properties"]:
        return f"{command} -F files=@manual.pdf"
    sample = sample_body(path, body, NO_SAMPLES)
    return f"{command} \\\n  --json '{json.dumps(sample)}'"


def _sample_id(path: str) -> str:
    """What stands for the id in an address: that of a document of the examples, or the word of what it belongs to."""
    if "/documents/" in path:
        return "pier.txt"
    return "JOB" if "/jobs/" in path else "ID"
