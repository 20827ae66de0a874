"""Servers that die: a copy takes over without an error, a share that is gone is named, nothing is answered wrongly."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import opendpr
from opendpr.errors import BusyError
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Document, Hit
from postgresql_server import PostgresqlServer, postgresql_server
from served import serving

QUESTIONS = ["Who keeps the light of town 3?", "What is sold in town 17?", "lighthouse"]
COUNT = 40
KILLS, KILLED_DOCUMENTS = 20, 600


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    place = tmp_path_factory.mktemp("engines") / "towns"
    documents = [
        Document(
            f"{number:02}", f"Town {number}", f"The light of town {number} is kept by Anna {number}.", {"n": number}
        )
        for number in range(COUNT)
    ]
    opendpr.add(place, documents, str(tiny_model))
    return place


@pytest.fixture(scope="module")
def first() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


@pytest.fixture
def second() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


def opened(directory: Path, index: Any = None) -> opendpr.OpenCollection:
    return opendpr.open(directory, runtime=RuntimeSettings(precision="fp32"), index=index)


def found(collection: opendpr.OpenCollection, retriever: str = "dense") -> list[list[tuple[int, float]]]:
    lists = collection.search(QUESTIONS, 8, retriever=retriever)
    return [[(hit.passage.number, hit.score) for hit in hits] for hits in lists]


def test_every_verb_takes_an_engine(directory, first, run, tmp_path):
    """And says the same as without one."""
    pushed = run("push", directory, first.url, "--check", "--recall", "--json")
    assert pushed.returncode == 0, pushed.stderr
    record = json.loads(pushed.stdout)
    assert (record["pushed"], record["removed"], record["compared"], record["recall"]["20"]) == (COUNT, 0, COUNT, 1.0)
    info = run("info", directory, "--index", first.url)
    assert f"{first.url} has version {record['version']}, each vector is compared: recall@20 1.000" in info.stdout
    with opened(directory) as beside, opened(directory, first.url) as engine:
        for retriever in ("dense", "hybrid", "bm25"):
            assert found(engine, retriever) == found(beside, retriever)
        assert engine.search(QUESTIONS[0], 3, "n > 30") == beside.search(QUESTIONS[0], 3, "n > 30")
    arguments = [directory, QUESTIONS[0], "--json", "--where", "n > 20"]
    for verb in ("search", "ask"):
        plain, through = run(verb, *arguments), run(verb, *arguments, "--index", first.url)
        assert through.returncode == 0, through.stderr
        assert through.stdout == plain.stdout
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"id": "1", "question": "Who keeps the light of town 3?", "answers": ["Anna 3"]}\n')
    options = ["evaluate", directory, questions, "--json", "-r", "dense", "-r", "hybrid"]
    plain, through = run(*options), run(*options, "--index", first.url)
    assert json.loads(through.stdout)["sets"] == json.loads(plain.stdout)["sets"], through.stderr


def test_a_copy_takes_over_without_an_error(directory, first, second, run):
    """The primary of a share is killed; its standby answers, and writing waits until somebody promotes it."""
    with postgresql_server(primary=second) as standby:
        address = f"postgresql://postgres@{first.host}+{second.host},{standby.host}/postgres"
        assert run("push", directory, address).returncode == 0
        with opened(directory) as beside, opened(directory, address) as engine:
            expected = found(beside)
            assert found(engine) == expected
            second.wait_for_copy(standby)
            killing = threading.Thread(target=second.kill)
            killing.start()
            while killing.is_alive():
                assert found(engine) == expected
            for _ in range(10):
                assert found(engine) == expected
        refused = run("push", directory, address)
        assert refused.returncode == 7, refused.stderr
        assert standby.host in refused.stderr


def test_a_share_without_a_copy_is_named_until_it_is_back(directory, first, second, run, serve_environment):
    address = f"postgresql://postgres@{first.host}+{second.host}/postgres"
    assert run("push", directory, address).returncode == 0
    partial = opendpr.EngineSettings(address, allow_partial=True)
    with (
        opened(directory, address) as engine,
        opened(directory, partial) as tolerant,
        serving(directory, "--index", address, environment=serve_environment) as service,
    ):
        expected, whole = found(engine), found(tolerant)
        assert whole == expected
        assert tolerant.missing == ()
        second.kill()
        with pytest.raises(BusyError, match=f"{second.host} does not answer"):
            found(engine)
        answer = service.ask("POST", "/v1/search", {"question": QUESTIONS[0], "retriever": "dense"})
        assert (answer.status, second.host in answer.json["detail"]) == (503, True)
        half = found(tolerant)
        assert tolerant.missing == (second.host,)
        for hits, every in zip(half, expected, strict=True):
            assert {hit for hit in every if hit[0] % 2 == 0} <= set(hits)
            assert all(number % 2 == 0 for number, _ in hits)
        search = run("search", directory, QUESTIONS[0], "--index", address, "-r", "dense", "--json")
        assert (search.returncode, second.host in search.stderr) == (7, True)
        through = ["--index", address, "--allow-partial", "--json", "-r", "dense"]
        search = run("search", directory, QUESTIONS[0], *through)
        assert all(json.loads(line)["missing"] == [second.host] for line in search.stdout.splitlines())
        assert json.loads(run("ask", directory, QUESTIONS[0], *through).stdout)["missing"] == [second.host]
        second.start()
        assert found(engine) == found(tolerant) == expected
        assert tolerant.missing == ()
        answer = service.ask("POST", "/v1/search", {"question": QUESTIONS[0], "retriever": "dense"})
        assert (answer.status, answer.json["missing"]) == (200, [])


def test_a_password_comes_from_a_file_and_is_shown_nowhere(directory, run, environment, tmp_path):
    with postgresql_server(password="hunter2") as server:
        environment["PGPASSFILE"] = str(tmp_path / "absent")
        refused = run("--verbose", "push", directory, server.url)
        assert (refused.returncode, "refuses the connection" in refused.stderr) == (4, True)
        passwords = tmp_path / "passwords"
        passwords.write_text(f"127.0.0.1:{server.port}:*:postgres:hunter2\n")
        passwords.chmod(0o600)
        environment["PGPASSFILE"] = str(passwords)
        pushed = run("--verbose", "push", directory, server.url)
        searched = run("--verbose", "search", directory, QUESTIONS[0], "--index", server.url)
        assert (pushed.returncode, searched.returncode) == (0, 0), pushed.stderr + searched.stderr
        assert "hunter2" not in pushed.stdout + pushed.stderr + searched.stdout + searched.stderr


@pytest.mark.slow
def test_a_push_killed_at_any_moment_goes_on(first, second, start, run, tmp_path, tiny_model):
    """20 kills while documents change; searches beside them never show what is removed, and all is equal at the end."""
    generator, place = random.Random(0), tmp_path / "many"
    address = f"postgresql://postgres@{first.host}+{second.host}/postgres"
    current = {f"{number:04}": 0 for number in range(KILLED_DOCUMENTS)}
    opendpr.add(place, [generation(id, 0) for id in current], str(tiny_model))
    started = time.monotonic()
    assert run("push", place, address).returncode == 0
    usual, killed = time.monotonic() - started, 0
    with opened(place, address) as engine:
        while killed < KILLS:
            changed = generator.sample(sorted(current), KILLED_DOCUMENTS // 20)
            current |= {id: current[id] + 1 for id in changed}
            opendpr.add(place, [generation(id, current[id]) for id in changed], str(tiny_model))
            removed = generator.choice(sorted(current))
            with opendpr.open(place) as notes:
                notes.remove(removed)
            del current[removed]
            process = start("push", place, address)
            deadline = time.monotonic() + generator.uniform(0, usual)
            while time.monotonic() < deadline and process.poll() is None:
                for hits in engine.search(QUESTIONS, 20, retriever="dense"):
                    assert all(hit.passage.text == generation_text(hit, current) for hit in hits)
            killed += process.poll() is None
            process.kill()
            process.wait()
    checked = run("push", place, address, "--check")
    assert checked.returncode == 0, checked.stderr
    with opened(place) as beside, opened(place, address) as engine:
        assert found(engine) == found(beside)


def generation(id: str, number: int) -> Document:
    return Document(id, "", f"The light of town {id} is kept by the keeper of year {number}.")


def generation_text(hit: Hit, current: dict[str, int]) -> str:
    """What the passage found says now; KeyError if its document was removed."""
    return generation(hit.passage.document_id, current[hit.passage.document_id]).text
