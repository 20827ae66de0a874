"""`opendpr serve` among people who mean no good (RFC 9110 status codes, OWASP's list of what goes wrong)."""

from __future__ import annotations

import gzip
import hashlib
import io
import select
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run

from served import PART_BORDER, START_SECONDS, Answer, Served, serving, upload

TOKEN, READER = "correct-horse-battery", "staple-of-the-reader"
QUESTION = {"question": "Which town is on the river Lot?", "k": 2}


@pytest.fixture(scope="module")
def guarded(
    rivers: Path, serve_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A service that needs a token, allows five requests a second and can be reached from elsewhere."""
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(f"{TOKEN}\nread sha256:{hashlib.sha256(READER.encode()).hexdigest()}\n")
    options = ("--writable", "--host", "0.0.0.0", "--token-file", tokens, "--rate", 5, "--allow-host", "notes.example")
    with serving(rivers, *options, environment=serve_environment) as served:
        yield served


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def patient(served: Served, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """Like `ask`, again while the rate is exceeded."""
    while (answer := served.ask(method, path, body, **headers)).status == 429:
        time.sleep(0.2)
    return answer


def test_an_address_that_others_reach_is_refused_without_a_token(rivers: Path, run: Run) -> None:
    done = run("serve", rivers, "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "no token is set" in done.stderr


def test_what_cannot_be_served_is_reported_at_once(rivers: Path, tmp_path: Path, run: Run) -> None:
    done = run("serve", tmp_path / "none", "--port", "0")
    assert done.returncode == 4
    assert "is not a collection" in done.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("serve", rivers, "--port", taken.getsockname()[1])
    assert done.returncode == 1
    assert "choose another port with --port" in done.stderr


def test_every_route_of_the_description_needs_a_token(guarded: Served) -> None:
    paths = patient(guarded, "GET", "/openapi.json", **bearer(TOKEN)).json["paths"]
    asked = [(method.upper(), path.replace("{id}", "x")) for path, methods in paths.items() for method in methods]
    for method, path in [
        *asked,
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/"),
        ("GET", "/document?id=x"),
        ("GET", "/documents"),
    ]:
        expected = {200} if path in ("/healthz", "/readyz") else {401}
        for headers in ({}, bearer("wrong-horse-battery"), {"Authorization": f"Basic {TOKEN}"}, {"Cookie": "a=b"}):
            answer = patient(guarded, method, path, {} if method in ("POST", "PUT") else None, **headers)
            assert answer.status in expected, (method, path)
    assert patient(guarded, "POST", "/v1/ask", QUESTION).headers["WWW-Authenticate"] == "Bearer"


def test_a_token_for_reading_does_not_write(guarded: Served) -> None:
    assert patient(guarded, "POST", "/v1/search", QUESTION, **bearer(READER)).status == 200
    for method, path in (("PUT", "/v1/documents/a"), ("DELETE", "/v1/documents/Lot"), ("POST", "/v1/documents")):
        assert patient(guarded, method, path, {"text": "x"}, **bearer(READER)).status == 403
    assert patient(guarded, "DELETE", "/v1/documents/none", **bearer(TOKEN)).status == 404


def test_a_browser_gives_the_token_once_and_its_cookie_only_looks(guarded: Served) -> None:
    form = f"token={READER}&next=%2F%3Fq%3Driver".encode()
    answer = patient(guarded, "POST", "/login", form, Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, answer.headers["Location"]) == (303, "/?q=river")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    sent = cookie.split(";")[0]
    assert patient(guarded, "GET", "/", Cookie=sent).status == 200
    assert patient(guarded, "POST", "/v1/ask", QUESTION, Cookie=sent).status == 401
    wrong = patient(guarded, "POST", "/login", b"token=nonsense", Content_Type="application/x-www-form-urlencoded")
    assert (wrong.status, wrong.headers["Set-Cookie"]) == (401, None)


def test_more_requests_than_the_rate_are_refused_and_others_go_on(guarded: Served) -> None:
    answers = [guarded.ask("GET", "/v1/info", **bearer(TOKEN)) for _ in range(60)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert guarded.ask("GET", "/v1/info", **bearer(READER)).status == 200
    time.sleep(int(refused[-1].headers["Retry-After"]))
    assert guarded.ask("GET", "/v1/info", **bearer(TOKEN)).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:99", 200), ("[::1]:8000", 200), ("192.168.3.4", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421), ("localhost.evil.example:8000", 421),
    ],
)  # fmt: skip
def test_a_host_that_is_not_ours_is_refused(served: Served, host: str, status: int) -> None:
    assert served.ask("GET", "/v1/info", Host=host).status == status


def test_pages_of_other_sites_neither_ask_nor_write(served: Served) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert served.ask("POST", "/v1/search", QUESTION, Origin=origin).status == 403
        assert served.ask("PUT", "/v1/documents/a", {"text": "x"}, Origin=origin).status == 403
    assert served.ask("POST", "/v1/search", QUESTION, Origin=served.url).status == 200
    answer = served.ask("OPTIONS", "/v1/search", Origin=served.url, Access_Control_Request_Method="POST")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_every_answer_tells_a_browser_to_be_careful(served: Served) -> None:
    for path in ("/", "/v1/info", "/none", "/static/page.js", "/docs"):
        headers = served.ask("GET", path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def sent(served: Served, request: bytes) -> bytes:
    """What is answered to bytes as they are; empty if nothing is."""
    with socket.create_connection((served.host, served.port), timeout=START_SECONDS) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


def test_a_body_is_counted_as_it_comes(served: Served) -> None:
    line = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert b" 413 " in sent(served, line + b"Content-Length: 1000001\r\n\r\n")
    chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    assert b" 413 " in sent(served, line + b"Transfer-Encoding: chunked\r\n\r\n" + 4 * chunk)
    for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        assert served.ask("POST", "/v1/search", b"x" * 900_000, Content_Type=kind).status == 422
    bomb = gzip.compress(b" " * 10_000_000)
    assert served.ask("POST", "/v1/search", bomb, Content_Encoding="gzip").status == 415
    assert b" 400 " in sent(served, line + b"Content-Length: x\r\n\r\n")
    assert served.ask("POST", "/v1/search", QUESTION).status == 200


def test_an_upload_is_refused_by_its_length_before_it_comes(served: Served) -> None:
    line = b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    assert b" 413 " in sent(served, line + b"Content-Length: 50000001\r\n\r\n")
    assert b" 411 " in sent(served, line + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")
    assert b" 415 " in sent(served, line + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n")
    assert upload(served, *[(f"{number}.txt", b"x") for number in range(101)]).status == 422
    for body, kind in (
        (b"", "multipart/form-data"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"{}", "text/plain"),
    ):
        assert served.ask("POST", "/v1/files", body, Content_Type=kind).status in (400, 422), kind
    assert served.ask("POST", "/v1/search", QUESTION).status == 200


@pytest.mark.parametrize(
    "name",
    ["../../../tmp/out.txt", "/tmp/out.txt", "..\\..\\out.txt", "a\x00b/../out.txt", ".", "..", "\x00", "n" * 1_000],
)
def test_no_name_of_an_uploaded_file_leads_elsewhere(served: Served, name: str) -> None:
    job = served.wait(upload(served, (name, b"Nothing to see."), ("kept.txt", b"Kept.")).json)
    assert job["state"] == "done"
    assert sum(job["documents"].values()) + len(job["skipped"]) == 2
    ids = [document["id"] for document in served.ask("GET", "/v1/documents").json["documents"]]
    assert all(id == "out.txt" for id in ids if "out" in id)
    assert upload(served, ("n" * 5_000, b"x")).status == 400
    for id in {"out.txt", "kept.txt"} & set(ids):
        served.wait(served.ask("DELETE", f"/v1/documents/{id}").json)


def test_an_uploaded_bomb_costs_its_own_job_alone(served: Served) -> None:
    """A table that unpacks to 400 MB, and one that names itself as a part of itself a billion times."""
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(400):
            part.write(b" " * 1_000_000)
    laughs = b"<!DOCTYPE a [<!ENTITY a0 'ha'>" + b"".join(
        b"<!ENTITY a%d '%s'>" % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 10)
    )
    files = (("bomb.docx", sheet.getvalue()), ("laughs.xml", laughs + b"]><a>&a9;</a>"), ("good.txt", b"Still read."))
    job = served.wait(upload(served, *files).json)
    assert (job["state"], job["documents"]) == ("done", {"added": 1})
    assert {skipped["place"] for skipped in job["skipped"]} == {"bomb.docx", "laughs.xml"}
    served.wait(served.ask("DELETE", "/v1/documents/good.txt").json)


def test_a_form_of_the_pages_is_taken_from_them_alone(guarded: Served) -> None:
    """Neither another site's page nor a program without an origin; a cookie opens no other path for writing."""
    for token, status in ((TOKEN, 303), (READER, 403)):
        cookie = {"Cookie": f"opendpr_token={token}"}
        kind = {"Content_Type": "application/x-www-form-urlencoded"}
        for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            answer = patient(guarded, "POST", "/documents/remove", b"id=Lot", **cookie, **kind, **origin)
            assert answer.status == 403
        own = {"Origin": guarded.url}
        answer = patient(guarded, "POST", "/documents/remove", b"id=none", **cookie, **kind, **own)
        assert answer.status == (404 if status == 303 else 403)
        kind = {"Content_Type": f"multipart/form-data; boundary={PART_BORDER}"}
        assert patient(guarded, "POST", "/v1/files", b"", **cookie, **kind, **own).status == 401
        page = patient(guarded, "GET", "/documents", **cookie).body.decode()
        assert ('type="file"' in page) == (status == 303)


def test_a_flood_of_headers_is_refused(served: Served) -> None:
    flood = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 90) for n in range(300))
    assert b" 400 " in sent(served, flood)
    assert served.ask("GET", "/healthz").status == 200


def test_deeply_nested_bodies_are_refused(served: Served) -> None:
    deep = b'{"text": "x", "metadata": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    for body in (deep, b"[" * 400_000, b'{"text": "x", "metadata": {"a": NaN}}'):
        assert served.ask("PUT", "/v1/documents/deep", body, Content_Type="application/json").status in (400, 422)


def test_clients_that_send_slowly_hold_nobody_up(served: Served) -> None:
    """Two hundred that begin their headers, one that begins its body."""
    body = b'POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"question'
    slow = []
    try:
        for begun in (*[b"POST /v1/search HTTP/1.1\r\nHost: loc"] * 200, body):
            connection = socket.create_connection((served.host, served.port), timeout=START_SECONDS)
            connection.sendall(begun)
            slow.append(connection)
        assert served.ask("POST", "/v1/search", QUESTION).status == 200
        assert not select.select([slow[-1]], [], [], 0)[0], "answered only after the slow body had been given up"
        assert b" 408 " in slow[-1].recv(1_000)
    finally:
        for connection in slow:
            connection.close()


def test_a_service_that_only_reads_changes_nothing(rivers: Path, serve_environment: dict[str, str]) -> None:
    environment = {**serve_environment, "OPENDPR_TOKEN": TOKEN}
    with serving(rivers, environment=environment) as reading:
        answer = reading.ask("DELETE", "/v1/documents/Lot", **bearer(TOKEN))
        assert answer.status == 403
        assert "--writable" in answer.json["detail"]
        assert reading.ask("GET", "/v1/documents/Lot", **bearer(TOKEN)).status == 200
        assert TOKEN not in "".join(reading.log)
