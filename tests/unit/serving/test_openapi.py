"""The examples of the API's description."""

from __future__ import annotations

import json
from html import unescape

from opendpr.serving import records
from opendpr.serving.openapi import EXAMPLES, complete
from opendpr.serving.page.reference import reference_page
from opendpr.serving.page.trying import SAMPLE_VALUES, Input, request_form


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


def test_events_and_metrics_have_an_example_too() -> None:
    contents = {kind: {} for kind in ("text/event-stream", "text/plain")}
    paths = {"/metrics": {"get": {"description": "", "responses": {"200": {"content": contents}}}}}
    schema = complete({"info": {"description": ""}, "paths": paths, "components": {"schemas": {}}})
    assert all("opendpr" in content["example"] or "data: " in content["example"] for content in contents.values())
    page = reference_page(schema, "http://127.0.0.1:8000")
    assert "Answer 200" in page
    assert "1cf83ad6d05843c2" in page, "the example of an error"


def test_the_id_in_a_line_of_curl_is_of_what_the_path_is_about() -> None:
    paths = {
        f"/v1/{name}/{{id}}": {"delete": {"description": "", "responses": {"204": {}}}}
        for name in ("documents", "jobs", "judgements")
    }
    schema = complete({"info": {"description": ""}, "paths": paths, "components": {"schemas": {}}})
    page = reference_page(schema, "http://127.0.0.1:8000")
    for path in ("documents/pier.txt", "jobs/JOB", "judgements/ID"):
        assert f"curl -X DELETE http://127.0.0.1:8000/v1/{path}<" in page


ID = {"name": "id", "in": "path", "schema": {"type": "string"}}
BODY = {
    "required": ["question"],
    "properties": {
        "question": {"type": "string"},
        "k": {"type": "integer", "default": 20},
        "where": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "title": {"type": "string", "default": ""},
    },
}


def test_a_form_looks_at_what_is_there_and_changes_the_document_of_the_example_alone() -> None:
    samples = {"id": "mine.txt", "question": "Where?"}
    looking, writing = (
        request_form("/v1/documents/{id}", method, {"parameters": [ID]}, body=None, samples=samples)
        for method in ("get", "delete")
    )
    assert [field.value for field in (*looking.inputs, *writing.inputs)] == ["mine.txt", "pier.txt"]
    job = request_form("/v1/jobs/{id}", "get", {"parameters": [ID]}, body=None, samples=samples)
    assert job.inputs == [Input("id", "path", "", is_number=False, filled_by="job")]
    improvement = request_form("/v1/improvements/{id}/apply", "post", {"parameters": [ID]}, body=None, samples=samples)
    assert improvement.inputs[0].filled_by == "improvement"
    end = {"name": "end", "in": "query", "schema": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}}
    assert request_form("/x", "get", {"parameters": [end]}, body=None, samples={}).inputs == [
        Input("end", "query", "", True, "")
    ]


def test_a_body_is_filled_in_with_samples_and_with_defaults_that_say_something() -> None:
    form = request_form("/v1/ask", "post", {}, body=BODY, samples={"question": "Where?"})
    assert json.loads(form.body) == {"question": "Where?", "k": 20}
    assert (
        json.loads(request_form("/v1/ask", "post", {}, body=BODY, samples={}).body)["question"] == "Who built the pier?"
    )
    files = request_form("/v1/files", "post", {}, body={"properties": {"files": {}}}, samples={})
    assert (files.body, files.takes_files) == ("", True)


JUDGEMENT = {
    "required": ["question", "verdict"],
    "properties": {
        "question": {"type": "string"},
        "verdict": {"enum": ["right", "wrong", "better"]},
        "answer": {"default": None, "anyOf": [{"type": "object"}, {"type": "null"}]},
    },
}


def test_the_form_of_judgements_never_says_of_a_question_of_the_collection_that_it_has_no_answer() -> None:
    samples = {"id": "mine.txt", "question": "Where is mine?"}
    sent = json.loads(request_form("/v1/judgements", "post", {}, body=JUDGEMENT, samples=samples).body)
    document = SAMPLE_VALUES["documents"][0]  # type: ignore[index]
    answer = sent["answer"]
    assert (sent["question"], sent["verdict"]) == ("Who built the pier?", "right")
    assert answer["document_id"] == document["id"]
    assert document["text"][answer["start"] : answer["end"]] == answer["text"] == "Marta Lindqvist"


def test_the_command_for_judgements_says_the_answer_too() -> None:
    content = {"application/json": {"schema": JUDGEMENT}}
    route = {"post": {"description": "", "requestBody": {"content": content}, "responses": {"201": {}}}}
    page = reference_page(
        {"info": {"description": ""}, "paths": {"/v1/judgements": route}, "components": {"schemas": {}}}, ""
    )
    command = unescape(page).split("--json '")[1].split("'")[0]
    assert json.loads(command)["answer"]["text"] == "Marta Lindqvist"
