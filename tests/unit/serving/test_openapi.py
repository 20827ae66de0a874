"""The examples of the API's description."""

from __future__ import annotations

from opendpr.serving import records
from opendpr.serving.openapi import EXAMPLES, complete
from opendpr.serving.page.reference import reference_page


def answer(name: str) -> dict[str, object]:
    """A route that answers with a schema."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {"get": {"description": name, "responses": {"200": {"content": content}}}}


def test_each_answer_has_an_example_that_the_page_shows() -> None:
    paths = {f"/v1/{name}": answer(name) for name in EXAMPLES}
    schemas = {name: {"properties": {}} for name in EXAMPLES}
    schema = complete({"info": {"description": ""}, "paths": paths, "components": {"schemas": schemas}})
    contents = [path["get"]["responses"]["200"]["content"]["application/json"] for path in schema["paths"].values()]
    assert [content["example"] for content in contents] == list(EXAMPLES.values())
    page = reference_page(schema, "http://127.0.0.1:8000")
    assert page.count("Answer 200") == len(EXAMPLES)
    assert "Marta Lindqvist" in page


def test_the_offsets_of_the_example_are_true() -> None:
    example = EXAMPLES[records.AskRecord.__name__]
    (answered,), (passage,) = example["answers"], example["passages"]
    (span,) = answered["spans"]
    assert passage["text"][span["start"] : span["end"]] == span["text"] == answered["text"]
