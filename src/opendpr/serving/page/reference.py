"""The page of the API, out of its OpenAPI description: no script, nothing from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opendpr.evaluation.page.markup import Markup, element, joined
from opendpr.serving.page.frame import frame

Schema = Mapping[str, Any]

SAMPLES: Mapping[str, object] = {
    "question": "Who built the pier?",
    "text": "The pier was built by Marta Lindqvist.",
    "id": "pier.txt",
    "documents": [{"id": "pier.txt", "text": "The pier was built by Marta Lindqvist."}],
}
"""What required fields say in an example."""


def reference_page(openapi: Schema, base: str) -> str:
    """The whole page; `base` is the address of the service as the browser sees it."""
    operations = [
        (path, method, operation) for path, methods in openapi["paths"].items() for method, operation in methods.items()
    ]
    parts = (
        element("h1", "API", class_="title"),
        element("p", openapi["info"]["description"], " ", element("a", "openapi.json", href="/openapi.json")),
        element(
            "p",
            "Errors are problem details (RFC 9457) with a request_id. After 429 and 503 wait as Retry-After says. "
            "start and end count code points, start_utf16 and end_utf16 UTF-16 code units.",
            class_="soft",
        ),
        element("nav", element("ul", [_entry(*one) for one in operations]), class_="contents", aria_label="Operations"),
        [_operation(path, method, operation, openapi, base) for path, method, operation in operations],
    )
    return frame("API · opendpr", joined(*parts), wide=True)


def _entry(path: str, method: str, operation: Schema) -> Markup:
    name = element("code", f"{method.upper()} {path}")
    return element("li", element("a", name, href=f"#{_anchor(path, method)}"), " ", operation["description"])


def _anchor(path: str, method: str) -> str:
    return f"{method}{path}".replace("/", "-").strip("{}")


def _operation(path: str, method: str, operation: Schema, openapi: Schema, base: str) -> Markup:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    rows = [_row(one["name"], one, one["schema"], one["in"]) for one in operation.get("parameters", [])]
    if body:
        schema = _resolved(body, openapi)
        required = schema.get("required", [])
        rows += [
            _row(name, {**of, "required": name in required}, of, "body") for name, of in schema["properties"].items()
        ]
    head = element("tr", [element("th", title, scope="col") for title in ("Name", "In", "What", "Meaning")])
    table = element(
        "div", element("table", element("thead", head), element("tbody", rows)), class_="scroll", tabindex="0"
    )
    status, answer = next(iter(operation["responses"].items()))
    content = answer.get("content", {}).get("application/json", {}).get("schema")
    fields = _fields(content, openapi) if content else None
    return element(
        "section",
        element("h2", element("code", f"{method.upper()} {path}"), id=_anchor(path, method)),
        element("p", operation["description"]),
        table if rows else None,
        element("pre", _curl(path, method, body and _resolved(body, openapi), base), tabindex="0"),
        element("p", f"{status}: ", fields) if fields else None,
        class_="card operation",
    )


def _row(name: str, of: Schema, schema: Schema, where: str) -> Markup:
    meaning = [of.get("description", ""), " Required." if of.get("required") else ""]
    if schema.get("default") not in (None, "", {}):
        meaning.append(f" Default {json.dumps(schema['default'])}.")
    cells = (element("code", name), where, _kind(schema), joined(*meaning))
    return element("tr", [element("td", cell) for cell in cells])


def _kind(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    limits = [
        f"{word} {schema[key]:,.0f}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "up to"), ("maxItems", "up to"))
        if schema.get(key)
    ]
    return " ".join([str(schema.get("type", "object")), *limits])


def _fields(schema: Schema, openapi: Schema) -> list[object]:
    """The names that an answer has."""
    found: list[object] = []
    for name in _resolved(schema, openapi).get("properties", {}):
        found += [element("code", name), " "]
    return found


def _resolved(schema: Schema, openapi: Schema) -> Schema:
    reference = schema.get("$ref")
    found: Schema = openapi["components"]["schemas"][reference.rsplit("/", 1)[1]] if reference else schema
    return found


def _curl(path: str, method: str, body: Schema | None, base: str) -> str:
    url = base + path.replace("{id}", "pier.txt" if "documents" in path else "JOB")
    command = "curl" + (f" -X {method.upper()}" if method in ("put", "delete") else "") + f" {url}"
    if body is None:
        return command
    sample = {name: SAMPLES[name] for name in body.get("required", [])}
    return f"{command} \\\n  --json '{json.dumps(sample)}'"
