"""The page of the API: its forms send requests of each operation, in a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import opendpr
from browsing import waiting
from opendpr.types import Document
from served import Served, serving

TOKEN = "correct-horse-battery"
STATUSES = {
    "POST /v1/ask": "200 OK",
    "POST /v1/search": "200 OK",
    "GET /v1/documents": "200 OK",
    "POST /v1/documents": "202 Accepted",
    "GET /v1/documents/{id}": "200 OK",
    "PUT /v1/documents/{id}": "202 Accepted",
    "POST /v1/judgements": "201 Created",
    "GET /v1/improvements": "200 OK",
    "POST /v1/improvements": "409 Conflict",
    "GET /v1/improvements/{id}": "",
    "POST /v1/improvements/{id}/apply": "",
    "POST /v1/improvements/{id}/undo": "",
    "POST /v1/files": "202 Accepted",
    "GET /v1/jobs/{id}": "200 OK",
    "GET /v1/jobs/{id}/events": "200 OK",
    "DELETE /v1/documents/{id}": "202 Accepted",
    "GET /v1/info": "200 OK",
    "DELETE /v1/judgements/{id}": "",
    "GET /healthz": "200 OK",
    "GET /readyz": "200 OK",
    "GET /metrics": "200 OK",
}
"""What the form of each operation is answered with, sent in this order as it is filled in."""
LOADED = """
const parts = [...document.querySelectorAll('details.try')];
return parts.length > 0 && parts.every(part => !part.hidden);
"""


class Sent:
    """What a form shows after it was sent."""

    def __init__(self, browser: Any, operation: str) -> None:
        form = browser.find_element("css selector", f"form[aria-label='{operation}']")
        browser.execute_script("arguments[0].closest('details').open = true", form)
        browser.execute_script("arguments[0].requestSubmit()", form)
        wait = waiting(browser)
        button, status = form.find_element("tag name", "button"), form.find_element("css selector", "[role=status]")
        wait.until(lambda _: button.is_enabled() and status.text not in ("", "Sending…"))
        self.status, self.answer = status.text, form.find_element("tag name", "pre").text


def opened(browser: Any, served: Served) -> None:
    browser.get(f"{served.url}/docs")
    wait_for_forms(browser)


def wait_for_forms(browser: Any) -> None:
    waiting(browser).until(lambda page: page.execute_script(LOADED))


def fill(browser: Any, operation: str, field: str, value: str) -> None:
    script = "document.querySelector(`form[aria-label='${arguments[0]}']`).elements[arguments[1]].value = arguments[2]"
    browser.execute_script(script, operation, field, value)


def test_each_operation_is_tried_as_it_is_filled_in(served: Served, browser: Any, tmp_path: Path) -> None:
    opened(browser, served)
    forms = browser.find_elements("css selector", ".try form")
    assert {form.get_attribute("aria-label") for form in forms} == STATUSES.keys()
    (tmp_path / "keeper.txt").write_text("The second keeper was Ingrid Falk.")
    for operation, status in STATUSES.items():
        if not status:
            continue  # its id is that of a judgement, which no answer fills in
        if operation == "POST /v1/files":
            field = browser.find_element("css selector", f"form[aria-label='{operation}'] [name=files]")
            browser.execute_script("arguments[0].closest('details').open = true", field)
            field.send_keys(str(tmp_path / "keeper.txt"))
        sent = Sent(browser, operation)
        assert sent.status == status, (operation, sent.answer)
        if status == "202 Accepted":
            served.wait(json.loads(sent.answer))
        elif status == "201 Created":
            assert served.ask("DELETE", f"/v1/judgements/{json.loads(sent.answer)['id']}").status == 204
        elif operation == "GET /v1/jobs/{id}/events":
            assert '"files_read":1' in sent.answer.replace(" ", "")
        elif operation != "GET /metrics":
            assert json.loads(sent.answer)
    assert {"pier.txt", "keeper.txt"} & {one["id"] for one in served.ask("GET", "/v1/documents").json["documents"]} == {
        "keeper.txt"
    }
    served.wait(served.ask("DELETE", "/v1/documents/keeper.txt").json)
    refused = ("favicon", "409")  # no question is judged, so nothing can be improved
    assert [
        entry for entry in browser.get_log("browser") if not any(word in entry["message"] for word in refused)
    ] == []


def test_what_is_wrong_is_shown_as_the_service_says_it(served: Served, browser: Any) -> None:
    opened(browser, served)
    fill(browser, "POST /v1/search", "body", '{"question": "pier", "k": 5000}')
    sent = Sent(browser, "POST /v1/search")
    assert sent.status == "422 Unprocessable Entity"
    assert json.loads(sent.answer)["errors"] == [{"where": "body.k", "message": "must be at most 1,000"}]
    fill(browser, "POST /v1/search", "body", "{")
    assert "is not valid JSON" in Sent(browser, "POST /v1/search").answer
    fill(browser, "GET /v1/documents/{id}", "id", "sub/é #?.txt")
    fill(browser, "GET /v1/documents/{id}", "end", "2")
    assert json.loads(Sent(browser, "GET /v1/documents/{id}").answer)["text"] == "😀😀"


def test_a_token_is_sent_where_one_is_needed(rivers: Path, serve_environment: dict[str, str], browser: Any) -> None:
    with serving(rivers, environment={**serve_environment, "OPENDPR_TOKEN": TOKEN}) as guarded:
        browser.get(f"{guarded.url}/docs")
        browser.find_element("name", "token").send_keys(TOKEN)
        browser.find_element("css selector", "form button").click()
        wait_for_forms(browser)
        assert Sent(browser, "POST /v1/search").status == "401 Unauthorized"
        browser.find_element("id", "token").send_keys(TOKEN)
        assert Sent(browser, "POST /v1/search").status == "200 OK"
        sent = Sent(browser, "DELETE /v1/documents/{id}")
        assert sent.status == "403 Forbidden" and "only reads" in sent.answer


def test_forms_ask_for_what_is_there_and_never_change_it(served: Served, browser: Any) -> None:
    page = served.ask("GET", "/docs").body.decode()
    assert page.count('<details class="try" hidden>') == len(STATUSES), "shown without the script that sends them"
    opened(browser, served)
    values = {
        field.find_element("xpath", "ancestor::form").get_attribute("aria-label"): field.get_attribute("value")
        for field in browser.find_elements("css selector", ".try [name=id]")
    }
    ids = {one["id"] for one in served.ask("GET", "/v1/documents").json["documents"]}
    assert values["GET /v1/documents/{id}"] in ids
    assert {values["PUT /v1/documents/{id}"], values["DELETE /v1/documents/{id}"]} == {"pier.txt"}
    assert "pier.txt" not in ids
    assert Sent(browser, "POST /v1/judgements").status == "404 Not Found", "it is about the document of the examples"


def test_ids_and_headings_in_the_forms_are_text(
    tmp_path: Path, tiny_model: Path, serve_environment: dict[str, str], browser: Any
) -> None:
    attack = "\"></textarea></pre><script>window.marker=1</script><img src=x onerror=window.marker=1>'"
    opendpr.add(tmp_path / "attack", [Document(attack, attack, f"# {attack}\n\nriver pier")], str(tiny_model))
    with serving(tmp_path / "attack", environment=serve_environment) as served:
        opened(browser, served)
        assert attack in Sent(browser, "GET /v1/documents/{id}").answer.replace('\\"', '"')
        assert Sent(browser, "POST /v1/ask").status == "200 OK"
        assert browser.execute_script("return window.marker === undefined && !document.querySelector('main img')")
