"""`opendpr serve`: what a program sees."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import Run

import opendpr
from opendpr.answering import open_answerer
from opendpr.errors import BusyError, InputError, OpendprError, StateError, UsageError
from opendpr.model.runtime import RuntimeSettings
from opendpr.serving.client import Client
from served import PIER, START_SECONDS, Served


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.url) as client:
        yield client


def test_a_search_finds_what_python_finds(served: Served, rivers: Path) -> None:
    for retriever in ("hybrid", "dense", "bm25"):
        wanted = {"question": "Which town is on the river Lot?", "k": 3, "retriever": retriever, "where": "year > 1901"}
        reply = served.ask("POST", "/v1/search", wanted)
        assert reply.status == 200
        hits = opendpr.open(rivers, retriever=retriever).search(wanted["question"], 3, "year > 1901")
        assert [(one["document_id"], one["start"]) for one in reply.json["passages"]] == [
            (hit.passage.document_id, hit.passage.start) for hit in hits
        ]
        for one, hit in zip(reply.json["passages"], hits, strict=True):
            assert one["text"] == hit.passage.text
            assert one["score"] == pytest.approx(hit.score, abs=1e-3)
            assert one["parts"].keys() == hit.parts.keys()


def test_answers_are_those_of_python_and_stand_where_it_is_said(client: Client, rivers: Path) -> None:
    reply = client.ask("Who built the pier of Orvik?", k=6, answers=100)
    exact = RuntimeSettings("openvino", "fp32")
    expected = open_answerer(rivers, runtime=exact).ask("Who built the pier of Orvik?", 6)
    assert [answer.text for answer in reply.answers] == [answer.text for answer in expected.answers]
    assert reply.answerable == expected.answerable
    passages = {passage.passage_id: passage for passage in reply.passages}
    assert len(passages) == 6
    assert all({"dense", "bm25", "reader"} == passage.parts.keys() for passage in reply.passages)
    for answer in reply.answers:
        for span in answer.spans:
            document = client.document(span.document_id)
            assert document.text[span.start : span.end] == span.text
            encoded = document.text.encode("utf-16-le")
            assert encoded[2 * span.start_utf16 : 2 * span.end_utf16].decode("utf-16-le") == span.text
            assert span.start >= passages[span.passage_id].start
    pages = {passage.document_id: passage.page for passage in reply.passages}
    assert pages.get("two.pdf", 1) == 1
    assert pages["sub/é #?.txt"] is None


def test_documents_are_listed_in_parts_and_shown_in_part(client: Client, served: Served) -> None:
    ids = [document.id for document in client.documents()]
    assert ids == sorted(ids)
    assert {"Lot", "sub/é #?.txt"} <= set(ids)
    one = served.ask("GET", "/v1/documents?limit=2").json
    two = served.ask("GET", f"/v1/documents?limit=2&after={quote(one['next'])}").json
    assert [document["id"] for document in one["documents"] + two["documents"]] == ids[:4]
    part = client.document("sub/é #?.txt", 3, 11)
    assert (part.text, part.start, part.end, part.characters) == (PIER[3:11], 3, 11, len(PIER))
    with pytest.raises(InputError, match="there is no document 'none'"):
        client.document("none")
    with pytest.raises(UsageError, match="there are none from 500"):
        client.document("two.pdf", 500)


def test_a_document_is_put_found_replaced_and_removed(client: Client) -> None:
    job = client.wait(client.put("new/a.txt", "The zeppelin landed in Reykjavik.", "Zeppelin", {"year": 1931}))
    assert (job.documents, job.passages_encoded) == ({"added": 1}, 1)
    assert client.search("zeppelin", 1).passages[0].document_id == "new/a.txt"
    assert client.search("zeppelin", 9, where="year = 1931").passages[0].title == "Zeppelin"
    changed = client.wait(client.put_all([{"id": "new/a.txt", "text": "The balloon landed in Oslo."}]))
    assert changed.documents == {"replaced": 1}
    assert "balloon" in client.search("balloon", 1, retriever="bm25").passages[0].text
    removed = client.wait(client.remove("new/a.txt"))
    assert removed.documents == {"removed": 1}
    assert client.search("balloon", 1, retriever="bm25").passages == []
    with pytest.raises(InputError):
        client.remove("new/a.txt")


def test_a_document_that_is_put_twice_is_there_once(served: Served) -> None:
    body = {"text": "The tower of Ghent."}
    answers = [served.ask("PUT", "/v1/documents/ghent", body) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert all(answer.headers["Location"] == f"/v1/jobs/{answer.json['id']}" for answer in answers)
    assert [served.wait(answer.json)["documents"] for answer in answers] == [{"added": 1}, {"unchanged": 1}]
    served.wait(served.ask("DELETE", "/v1/documents/ghent").json)


def test_a_change_by_another_process_is_found(client: Client, served: Served, run: Run, tmp_path: Path) -> None:
    before = client.info()
    (tmp_path / "ferry.txt").write_text("The ferry to Bergvik sinks.")
    assert run("add", served.collection, tmp_path / "ferry.txt").returncode == 0
    assert client.search("ferry to Bergvik", 1).passages[0].document_id == "ferry.txt"
    assert client.info().documents == before.documents + 1
    assert run("remove", served.collection, "ferry.txt").returncode == 0
    assert all(passage.document_id != "ferry.txt" for passage in client.search("ferry to Bergvik", 9).passages)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/ask", {"question": ""}, 422),
        ("POST", "/v1/ask", {"question": " \n"}, 422),
        ("POST", "/v1/ask", {"question": "x" * 4_097}, 422),
        ("POST", "/v1/ask", {"question": "x", "k": 1_001}, 422),
        ("POST", "/v1/ask", {"question": "x", "retreiver": "dense"}, 422),
        ("POST", "/v1/ask", b"{", 422),
        ("POST", "/v1/ask", b'{"question": "\\ud800"}', 422),
        ("POST", "/v1/search", {"question": "x", "where": "year >"}, 422),
        ("POST", "/v1/documents", {"documents": [{"id": str(n), "text": "x"} for n in range(257)]}, 422),
        ("POST", "/v1/documents", {"documents": [{"id": "a", "text": "x"}] * 2}, 422),
        ("PUT", "/v1/documents/a", {"text": "x", "metadata": {"a": {"b": [[[[[[]]]]]]} | {"c": "d"}}}, 202),
        ("PUT", "/v1/documents/line%0Aend.txt", {"text": "x"}, 202),
        ("DELETE", "/v1/documents/none", None, 404),
        ("GET", "/v1/jobs/none", None, 404),
        ("GET", "/v2/ask", None, 404),
        ("GET", "/v1/ask", None, 405),
    ],
)
def test_what_cannot_be_done_is_reported_as_a_problem(
    served: Served, method: str, path: str, body: object, status: int
) -> None:
    headers = {"Content_Type": "application/json"} if isinstance(body, bytes) else {}
    answer = served.ask(method, path, body, **headers)
    assert answer.status == status, answer.body
    if status < 400:
        served.wait(answer.json)
        served.wait(served.ask("DELETE", path).json)
        return
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert problem["detail"]
    assert problem["type"] == "about:blank"


@pytest.mark.parametrize(
    ("path", "body", "where", "message"),
    [
        ("/v1/ask", b'{"question": ', "body", "is not valid JSON: Expecting value, at character 13"),
        ("/v1/ask", b"[1]", "body", "must be a JSON object, sent with the header Content-Type: application/json"),
        ("/v1/ask", {"question": " \n"}, "body.question", "must have at least one word"),
        ("/v1/ask", b'{"question": "\\ud800"}', "body.question", "is not valid Unicode: it has half a surrogate pair"),
        ("/v1/ask", {}, "body.question", "is missing"),
        ("/v1/search", {"question": "x" * 4_097}, "body.question", "must have at most 4,096 characters"),
        ("/v1/search", {"question": "x", "k": 0.5}, "body.k", "must be a whole number"),
        ("/v1/search", {"question": "x", "retriever": "f"}, "body.retriever", "must be 'hybrid', 'dense' or 'bm25'"),
        ("/v1/documents", {"documents": []}, "body.documents", "must not be empty"),
    ],
)
def test_a_request_of_the_wrong_form_is_reported_where_and_what_is_expected(
    served: Served, path: str, body: object, where: str, message: str
) -> None:
    answer = served.ask("POST", path, body, Content_Type="application/json")
    assert answer.json["errors"] == [{"where": where, "message": message}]
    assert answer.json["detail"].endswith(f"/docs describes: {where} {message}")


def test_a_method_that_is_not_there_is_reported_with_those_that_are(served: Served) -> None:
    for path, allowed in (("/v1/documents/a", "DELETE, GET, PUT"), ("/v1/ask", "POST"), ("/login", "POST")):
        answer = served.ask("PATCH", path)
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
        detail = f"{path} does not take PATCH; send {allowed.replace(', ', ' or ')}, as /docs describes"
        assert answer.json["detail"] == detail


def test_a_request_id_is_kept_if_it_is_one(served: Served) -> None:
    assert served.ask("GET", "/healthz", X_Request_Id="abc-1.2_3").headers["X-Request-Id"] == "abc-1.2_3"
    for wrong in ("a b", "x" * 65, "a\tb"):
        assert served.ask("GET", "/healthz", X_Request_Id=wrong).headers["X-Request-Id"] != wrong


def test_metrics_health_and_the_description_are_told(served: Served) -> None:
    served.ask("POST", "/v1/search", {"question": "river"})
    assert served.ask("GET", "/healthz").json == {"status": "ok"}
    assert served.ask("GET", "/readyz").json == {"status": "ready"}
    text = served.ask("GET", "/metrics").body.decode()
    assert 'opendpr_requests_total{method="POST",route="/v1/search",status="200"}' in text
    assert 'opendpr_batch_questions_bucket{le="1.0",stage="search"}' in text
    paths = served.ask("GET", "/openapi.json").json["paths"]
    assert set(paths) == {
        *("/v1/ask", "/v1/search", "/v1/documents", "/v1/documents/{id}", "/v1/jobs/{id}", "/v1/info"),
        *("/v1/files", "/v1/jobs/{id}/events", "/v1/judgements", "/v1/judgements/{id}"),
        *("/v1/improvements", *(f"/v1/improvements/{{id}}{what}" for what in ("", "/apply", "/undo"))),
        *("/healthz", "/readyz", "/metrics"),
    }
    page = served.ask("GET", "/docs").body.decode()
    assert all(path in page for path in paths)


def test_the_log_has_a_line_for_each_request_and_no_word_of_the_question(served: Served) -> None:
    served.ask("POST", "/v1/search", {"question": "kryptonite"}, X_Request_Id="in-the-log")
    served.ask("GET", "/?q=kryptonite")
    served.ask("GET", "/v1/documents/kryptonite")
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and not any("in-the-log" in line for line in list(served.log)):
        time.sleep(0.05)
    (line,) = [json.loads(line) for line in list(served.log) if "in-the-log" in line]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/search", 200)
    assert "kryptonite" not in "".join(served.log)


def test_a_client_says_what_is_wrong(served: Served) -> None:
    with pytest.raises(UsageError, match="expected an address"):
        Client("notes")
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(StateError, match="does not answer"):
        nobody.info()
    with Client(served.url) as client:
        with pytest.raises(UsageError, match=r"expected .*\(status 422, request "):
            client.search("x", where="year >")
        failing = client.put("x.txt", "text")
        with pytest.raises(BusyError, match="not done within"):
            client.wait(failing, timeout_seconds=0)
        client.wait(failing)
        client.wait(client.remove("x.txt"))
        with pytest.raises(OpendprError):
            client.ask("x", answers=1_000)
