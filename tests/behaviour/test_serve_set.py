"""`opendpr serve` of a set of collections, whose members go away and come back while it serves."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Run

import opendpr
from opendpr.cluster.place import served_members
from opendpr.collection import open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.set_manifest import member_name, member_of
from opendpr.maintenance.divide import divide
from opendpr.serving.client import Client
from opendpr.serving.service import Service
from opendpr.serving.settings import Settings
from served import RIVERS, Answer, Served, make_rivers, serving, upload

MEMBERS = 2
SEARCH = {"question": "Which town is on the river Lot?", "k": 6}
GONE, HERE = (member_name(member_of("Lot", MEMBERS)), member_name(1 - member_of("Lot", MEMBERS)))
"""The member that goes away, which holds the Lot, and the one that stays."""
KEPT_ID = next(id for id in RIVERS if member_name(member_of(id, MEMBERS)) == HERE)


@pytest.fixture(scope="module")
def original(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set that is copied."""
    directory = tmp_path_factory.mktemp("sets") / "rivers-set"
    with open_writer(make_rivers(directory.with_name("rivers"), tiny_model)) as writer:
        divide(writer, directory, MEMBERS)
    return directory


@pytest.fixture(scope="module")
def several(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The set that two services serve, whole before and after each test."""
    return Path(shutil.copytree(original, tmp_path_factory.mktemp("served") / "rivers-set"))


@pytest.fixture(scope="module")
def strict(several: Path, serve_environment: dict[str, str]) -> Iterator[Served]:
    with serving(several, "--writable", environment=serve_environment) as served:
        yield served


@pytest.fixture(scope="module")
def partial(several: Path, serve_environment: dict[str, str]) -> Iterator[Served]:
    with serving(several, "--allow-partial", environment=serve_environment) as served:
        yield served


def requests(served: Served) -> dict[str, Answer]:
    """What is answered to each kind of request that needs the set."""
    return {
        "search": served.ask("POST", "/v1/search", SEARCH),
        "ask": served.ask("POST", "/v1/ask", SEARCH),
        "documents": served.ask("GET", "/v1/documents"),
        "document": served.ask("GET", "/v1/documents/Lot"),
        "info": served.ask("GET", "/v1/info"),
        "ready": served.ask("GET", "/readyz"),
    }


def moved(several: Path) -> Callable[[], None]:
    """The directory is moved, as a disk that is not mounted looks."""
    path, away = several / GONE, several.parent / "away"
    path.rename(away)
    return lambda: void(away.rename(path))


def empty_mount(several: Path) -> Callable[[], None]:
    """An empty directory, as the place of a disk that is not mounted looks."""
    back = moved(several)
    (several / GONE).mkdir()

    def mount() -> None:
        (several / GONE).rmdir()
        back()

    return mount


def garbled(several: Path) -> Callable[[], None]:
    """Another file is in the place of the database."""
    path = several / GONE / "collection.db"
    kept = path.rename(several.parent / "kept.db")
    path.write_bytes(b"\xff" * 10_000)
    return lambda: void(kept.replace(path))


def void(result: object) -> None:
    """Nothing, of what gives something."""


@pytest.mark.parametrize("lose", [moved, empty_mount, garbled])
def test_a_member_that_goes_away_is_said_by_name_until_it_is_back(
    strict: Served, several: Path, lose: Callable[[Path], Callable[[], None]]
) -> None:
    before = requests(strict)
    assert {kind: answer.status for kind, answer in before.items()} == dict.fromkeys(before, 200)
    bring_back = lose(several)
    try:
        for kind, answer in requests(strict).items():
            assert answer.status == 503, kind
            assert GONE in answer.json["detail"], kind
            assert HERE not in answer.json["detail"], kind
            assert answer.headers["Retry-After"], kind
        assert strict.ask("GET", "/healthz").status == 200
        page = strict.ask("GET", "/?q=Which+town", Accept="text/html")
        assert page.status == 503
        assert GONE in page.body.decode()
    finally:
        bring_back()
    after = requests(strict)
    for kind, answer in after.items():
        assert (answer.status, answer.json) == (200, before[kind].json), kind


@pytest.mark.parametrize("lose", [moved, empty_mount, garbled])
def test_what_goes_on_without_a_member_says_so_in_every_record(
    partial: Served, several: Path, lose: Callable[[Path], Callable[[], None]]
) -> None:
    before = requests(partial)
    bring_back = lose(several)
    try:
        after = requests(partial)
        for kind in ("search", "ask", "documents", "info"):
            assert after[kind].status == 200, kind
            assert after[kind].json["missing"] == [GONE], kind
        ids = {document["id"] for document in after["documents"].json["documents"]}
        assert {passage["document_id"] for passage in after["search"].json["passages"]} <= ids
        assert KEPT_ID in ids
        assert "Lot" not in ids
        assert after["info"].json["documents"] == len(ids)
        assert after["ready"].status == 200
        assert (after["document"].status, GONE in after["document"].json["detail"]) == (503, True)
        assert partial.ask("GET", f"/v1/documents/{KEPT_ID}").status == 200
        assert b"\nopendpr_missing 1.0" in partial.ask("GET", "/metrics").body
        for path in ("/?q=Which+town", "/documents"):
            assert re.search(f"does not answer: {GONE}", partial.ask("GET", path).body.decode()), path
    finally:
        bring_back()
    for kind, answer in requests(partial).items():
        assert (answer.status, answer.json) == (200, before[kind].json), kind
    assert before["search"].json["missing"] == []
    assert b"\nopendpr_missing 0.0" in partial.ask("GET", "/metrics").body


def test_a_backup_in_the_place_of_a_member_is_taken_up(
    several: Path, strict: Served, partial: Served, tmp_path: Path
) -> None:
    before = {served: requests(served)["search"].json for served in (strict, partial)}
    with open_collection(several / GONE) as member:
        write_backup(member, tmp_path / "backup")
    shutil.rmtree(several / GONE)
    assert requests(partial)["search"].json["missing"] == [GONE]
    shutil.copytree(tmp_path / "backup", several / GONE)
    for served, expected in before.items():
        assert served.ask("POST", "/v1/search", SEARCH).json == expected


def test_documents_go_to_the_member_they_belong_to_and_are_removed_there(strict: Served, several: Path) -> None:
    names = [f"new {number}.txt" for number in range(6)]
    sent = upload(strict, *((name, f"The ferry {name} goes to Orvik.".encode()) for name in names))
    assert sent.status == 202
    job = strict.wait(sent.json)
    assert (job["state"], job["documents"]) == ("done", {"added": len(names)})
    put = strict.ask("PUT", "/v1/documents/new%20one", {"text": "The ferry new one goes to Caen."})
    assert strict.wait(put.json)["state"] == "done"
    names.append("new one")
    with open_collection(several) as opened:
        for place, part in enumerate(opened.parts):
            assert {name for name in names if part.has_document(name)} == {
                name for name in names if member_of(name, MEMBERS) == place
            }
    found = strict.ask("POST", "/v1/search", {"question": "Where does the ferry go?", "k": 20}).json["passages"]
    assert set(names) <= {passage["document_id"] for passage in found}
    for name in names:
        removed = strict.ask("DELETE", f"/v1/documents/{name.replace(' ', '%20')}")
        assert strict.wait(removed.json)["documents"] == {"removed": 1}
    left = strict.ask("GET", "/v1/documents").json["documents"]
    assert not {document["id"] for document in left} & set(names)


def test_a_change_without_a_member_fails_by_its_name_and_goes_on_once_it_is_back(strict: Served, several: Path) -> None:
    with Client(strict.url) as client:
        bring_back = moved(several)
        try:
            job = strict.wait(strict.ask("PUT", "/v1/documents/later", {"text": "The mill is old."}).json)
            assert job["state"] == "failed"
            assert GONE in job["error"]
        finally:
            bring_back()
        job = strict.wait(strict.ask("PUT", "/v1/documents/later", {"text": "The mill is old."}).json)
        assert job["state"] == "done"
        assert client.document("later").text == "The mill is old."
        assert strict.wait(strict.ask("DELETE", "/v1/documents/later").json)["state"] == "done"


def test_judgements_of_a_set_are_refused_with_the_reason(strict: Served) -> None:
    said = {"question": "Which town?", "verdict": "right"}
    refused = strict.ask("POST", "/v1/judgements", said)
    assert refused.status == 403
    assert "is a set of collections, whose answers cannot be judged" in refused.json["detail"]
    assert strict.ask("GET", "/v1/info").json["judgements"] is False


def test_a_damaged_page_is_an_outage_and_no_answer(original: Path, tmp_path: Path) -> None:
    """A member that is damaged where it can be opened still."""
    several = Path(shutil.copytree(original, tmp_path / "rivers-set"))
    path = several / GONE / "collection.db"
    content = bytearray(path.read_bytes())
    place = content.rindex(b"runs through the town of")
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(opendpr.OpendprError, match=GONE) as caught:
        Service(Settings(several, allow_partial=True)).close()
    assert isinstance(caught.value, opendpr.BusyError)


def test_a_language_model_is_told_what_is_missing(original: Path, tmp_path: Path) -> None:
    pytest.importorskip("mcp")
    from mcp.server.mcpserver.exceptions import ToolError

    from opendpr.serving.mcp import make_server

    several = Path(shutil.copytree(original, tmp_path / "rivers-set"))
    service = Service(Settings(several, allow_partial=True))
    server = make_server(service, "rivers")

    def missing() -> object:
        reply = asyncio.run(server.call_tool("search", {"question": SEARCH["question"]}))
        assert reply.structured_content is not None
        return reply.structured_content["missing"]

    try:
        assert missing() == []
        (several / GONE).rename(tmp_path / "away")
        assert missing() == [GONE]
        (several / HERE).rename(tmp_path / "away too")
        with pytest.raises(ToolError, match=r"member-1 and member-2 of .* are not there"):
            missing()
    finally:
        service.close()


def test_what_serving_by_a_cluster_needs_is_said(run: Run, original: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(opendpr.UsageError, match="give its address too"),
        served_members(original, None, 2, allow_partial=False),
    ):
        pass
    for options, refused in (({"writable": True}, "--writable"), ({"workers": 2}, "--workers")):
        with pytest.raises(opendpr.UsageError, match=refused):
            Settings(original, on_cluster=True, **options)
    with pytest.raises(opendpr.UsageError, match="is none; make one with 'opendpr divide"):
        Settings(original.with_name("rivers"), on_cluster=True)
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError(name='ray')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    lacking = run("serve", original, "--on", "ray://127.0.0.1:10001", env=environment)
    assert lacking.returncode == opendpr.OpendprError.exit_code
    assert "Ray is not installed; pip install 'opendpr[ray]'" in lacking.stderr


def test_half_a_set_is_not_measured_and_no_set_is_improved(run: Run, original: Path, tmp_path: Path) -> None:
    several = Path(shutil.copytree(original, tmp_path / "rivers-set"))
    with pytest.raises(opendpr.UsageError, match="is a set of collections, whose answers cannot be judged"):
        opendpr.improve(several)
    (tmp_path / "questions.jsonl").write_text('{"question": "Which town?", "answers": ["Cahors"]}\n')
    moved(several)
    measured = run("evaluate", several, tmp_path / "questions.jsonl", "-k", "5")
    assert measured.returncode == 7
    assert f"{GONE} of" in measured.stderr
