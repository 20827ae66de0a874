"""`opendpr serve` as an operator runs it: it drains, shares, restarts."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Run

import opendpr
from opendpr.errors import OpendprError
from opendpr.types import Document
from served import START_SECONDS, STOP_SECONDS, Answer, Served, make_rivers, serving

QUESTION = {"question": "Which town is on the river Lot?", "k": 6}


def load(served: Served, stop: threading.Event) -> tuple[list[threading.Thread], dict[str, int | OSError]]:
    """Questions from four clients until `stop`; for each by its request id, the status or why there is none."""
    results: dict[str, int | OSError] = {}
    ids = itertools.count()

    def work() -> None:
        while not stop.is_set():
            id = f"question-{next(ids)}."
            try:
                results[id] = served.ask("POST", "/v1/ask", QUESTION, X_Request_Id=id).status
            except ConnectionRefusedError:
                return
            except OSError as error:
                results[id] = error

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    return threads, results


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_being_answered_at_the_end_is_answered(
    rivers: Path, serve_environment: dict[str, str], number: signal.Signals
) -> None:
    drain(rivers, serve_environment, number)


@pytest.mark.slow
def test_twenty_ends_under_load_drop_no_question_that_was_taken(
    rivers: Path, serve_environment: dict[str, str]
) -> None:
    for _ in range(20):
        drain(rivers, serve_environment, signal.SIGTERM)


def drain(rivers: Path, environment: dict[str, str], number: int) -> None:
    """A service that is stopped under load ends in time with 0, and every question that it took has its answer."""
    with serving(rivers, environment=environment) as served:
        stop = threading.Event()
        threads, results = load(served, stop)
        until = time.monotonic() + START_SECONDS
        while len(results) < 8 and time.monotonic() < until:
            time.sleep(0.05)
        assert served.stop(number) == 0
        stop.set()
        for thread in threads:
            thread.join()
    statuses = [result for result in results.values() if isinstance(result, int)]
    assert statuses
    assert set(statuses) == {200}
    log = "".join(served.log)
    reset = [id for id, result in results.items() if not isinstance(result, int)]
    assert not [id for id in reset if id in log], "a question that the service took has no answer"
    with serving(rivers, environment=environment) as second:
        assert second.ask("GET", "/readyz").status == 200


def test_more_questions_than_can_be_answered_soon_are_refused_at_once_and_later_all_are_answered(
    rivers: Path, serve_environment: dict[str, str]
) -> None:
    with serving(rivers, "--max-wait", 0.1, environment=serve_environment) as served, ThreadPoolExecutor(64) as many:
        answers: list[Answer] = []
        for _ in range(20):
            answers += many.map(lambda _: served.ask("POST", "/v1/ask", QUESTION), range(64))
            if any(answer.status == 503 for answer in answers):
                break
        assert {answer.status for answer in answers} == {200, 503}
        refused = [answer for answer in answers if answer.status == 503]
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
        assert all("try again" in answer.json["detail"] for answer in refused)
        assert [served.ask("POST", "/v1/ask", QUESTION).status for _ in range(5)] == [200] * 5


def test_several_workers_share_a_collection(rivers: Path, serve_environment: dict[str, str]) -> None:
    with serving(rivers, "--workers", 2, environment=serve_environment) as served:
        until = time.monotonic() + START_SECONDS
        ready = False
        while not ready and time.monotonic() < until:
            ready = served.ask("GET", "/readyz").status == 200
        assert ready
        assert {served.ask("POST", "/v1/ask", QUESTION).status for _ in range(6)} == {200}
        children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
        assert len(children) >= 2
        assert served.stop() == 0
        until = time.monotonic() + STOP_SECONDS
        while any(map(lives, children)) and time.monotonic() < until:
            time.sleep(0.1)
        assert not [child for child in children if lives(child)]


def lives(process: str) -> bool:
    """Whether a process is there and is more than an entry that nobody has taken note of."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_another_model_and_another_collection_in_the_same_place_are_taken_up(
    tmp_path: Path, tiny_model: Path, other_model: Path, serve_environment: dict[str, str], run: Run
) -> None:
    directory = make_rivers(tmp_path / "rivers", tiny_model)
    with serving(directory, environment=serve_environment) as served:
        before = served.ask("GET", "/v1/info").json
        assert run("encode", directory, "--model", other_model).returncode == 0
        assert served.ask("POST", "/v1/ask", QUESTION).status == 200
        after = served.ask("GET", "/v1/info").json
        assert after["fingerprint"] != before["fingerprint"]

        opendpr.add(tmp_path / "second", [Document("a", "", "The harbour of Orvik.")], str(tiny_model))
        for path in directory.iterdir():
            if path.is_file():
                path.unlink()
        for path in (tmp_path / "second").iterdir():
            if path.name.startswith("collection."):
                os.replace(path, directory / path.name)
        reply = served.ask("POST", "/v1/search", {"question": "harbour"})
        assert [passage["document_id"] for passage in reply.json["passages"]] == ["a"]
        assert served.ask("GET", "/v1/info").json["documents"] == 1

        (directory / "collection.db").unlink()
        assert served.ask("POST", "/v1/search", QUESTION).status == 503
        assert served.ask("GET", "/healthz").status == 200


def test_what_was_accepted_before_the_end_is_stored_and_encoded_at_the_next_start(
    tmp_path: Path, tiny_model: Path, serve_environment: dict[str, str]
) -> None:
    directory = make_rivers(tmp_path / "rivers", tiny_model)
    with serving(directory, "--writable", environment=serve_environment) as served:
        for number in range(20):
            body = {"text": f"Document {number} of a flood. " * 30}
            assert served.ask("PUT", f"/v1/documents/flood-{number}", body).status == 202
        assert served.stop() == 0
    with serving(directory, "--writable", environment=serve_environment) as served:
        until = time.monotonic() + START_SECONDS
        info = served.ask("GET", "/v1/info").json
        while info["passages_without_vector"] and time.monotonic() < until:
            time.sleep(0.1)
            info = served.ask("GET", "/v1/info").json
        assert info["passages_without_vector"] == 0
        assert info["documents"] == 6 + 20


def test_a_service_that_lacks_its_packages_says_how_to_get_them(rivers: Path, run: Run, tmp_path: Path) -> None:
    for package in ("uvicorn", "mcp"):
        (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError(name={package!r})")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for verb, package, extra in (("serve", "uvicorn", "serve"), ("mcp", "mcp", "mcp")):
        done = run(verb, rivers, env=environment)
        assert done.returncode == OpendprError.exit_code
        assert f"{package} is not installed; pip install 'opendpr[{extra}]'" in done.stderr
