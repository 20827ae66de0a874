"""`opendpr serve --on`: the members of a set are served by Ray Serve, and their replicas are killed."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from conftest import write_documents

import opendpr
from opendpr.collection import open_writer
from opendpr.collection.set_manifest import member_name
from opendpr.maintenance.divide import divide
from opendpr.serving.service import Service, Wanted
from opendpr.serving.settings import Settings
from ray_cluster import PORT, Namespace, RayCluster, wait_until
from served_members import QUESTIONS, SEARCHES, ServedSet

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(Namespace.missing()), reason=Namespace.missing() or ""),
]
DOCUMENTS, WORDS, MEMBERS, REPLICAS = 24, 350, 3, 2
KILLED = member_name(1)
"""The member whose replicas are killed."""
KILLS, ROUNDS = 4, 2
"""Replicas killed, and rounds of searches asked around each kill."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    pytest.importorskip("ray.serve", reason="Ray Serve is not installed; pip install 'opendpr[ray]'")
    cluster = RayCluster(nodes=2)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A set that is copied."""
    folder = tmp_path_factory.mktemp("members")
    opendpr.add(folder / "wiki", write_documents(folder / "docs", DOCUMENTS, WORDS), model=str(tiny_model))
    with open_writer(folder / "wiki") as writer:
        divide(writer, folder / "wiki-set", MEMBERS)
    return folder


@contextmanager
def serving(cluster: RayCluster, made: Path, place: Path, *options: object) -> Iterator[ServedSet]:
    """A service of a copy of the set, for the time of a test."""
    served = ServedSet(cluster, Path(shutil.copytree(made / "wiki-set", place / "wiki-set")), *options)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            assert served.stop(signal.SIGTERM) == 0, served.log


def searched_here(directory: Path) -> list[object]:
    """What a service finds that reads all members itself."""
    service = Service(Settings(directory))
    try:
        records = [
            asyncio.run(service.search(Wanted(s["question"], s["retriever"], s["k"], s.get("where")))) for s in SEARCHES
        ]
        return [json.loads(json.dumps([asdict(passage) for passage in record.passages])) for record in records]
    finally:
        service.close()


@pytest.fixture(scope="module")
def several(cluster: RayCluster, made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedSet]:
    """A set with two replicas of each member."""
    with serving(cluster, made, tmp_path_factory.mktemp("served"), "--replicas", REPLICAS) as served:
        yield served


def test_lists_and_scores_are_those_of_the_set_in_one_process(several: ServedSet) -> None:
    assert several.searched() == searched_here(several.directory)
    assert [len(several.replicas(member_name(place))) for place in range(MEMBERS)] == [REPLICAS] * MEMBERS
    assert several.ask("GET", "/v1/documents/013.txt")[1]["text"].startswith("document13")
    assert several.ask("GET", "/v1/info")[1]["documents"] == DOCUMENTS
    assert several.ask("POST", "/v1/ask", {"question": QUESTIONS[0]})[0] == 200


def test_a_killed_replica_costs_no_answer(several: ServedSet) -> None:
    expected = several.searched()
    with ThreadPoolExecutor(1) as asking:
        for kill in range(KILLS):
            wait_until(lambda: several.living(KILLED) == REPLICAS)
            before = several.requests + kill
            rounds = asking.submit(lambda: [several.searched() for _ in range(ROUNDS)])
            wait_until(lambda before=before: several.requests > before)
            several.replicas(KILLED)[0].send_signal(signal.SIGKILL)  # while a question is on its way
            assert rounds.result() == [expected] * ROUNDS


def test_an_update_is_noticed(several: ServedSet, tmp_path: Path) -> None:
    before = several.searched()
    opendpr.add(several.directory, write_documents(tmp_path / "more", 6, WORDS, seed=5))
    after = several.searched()
    assert after != before
    assert after == searched_here(several.directory)


def test_a_service_that_ends_leaves_nothing_and_a_killed_one_is_replaced(
    cluster: RayCluster, made: Path, tmp_path: Path
) -> None:
    with serving(cluster, made, tmp_path) as killed:
        expected = killed.searched()
        left = killed.replicas(KILLED)
        killed.stop(signal.SIGKILL)
    assert [process.is_running() for process in left] == [True]
    again = ServedSet(cluster, killed.directory)
    assert again.searched() == expected
    wait_until(lambda: not left[0].is_running())
    assert len(again.replicas(KILLED)) == 1
    assert again.stop(signal.SIGINT) == 0, again.log
    wait_until(lambda: not any(again.replicas(member_name(place)) for place in range(MEMBERS)))


@pytest.fixture(params=[(), ("--allow-partial",)], ids=["strict", "partial"])
def single(
    request: pytest.FixtureRequest, cluster: RayCluster, made: Path, tmp_path: Path
) -> Iterator[tuple[ServedSet, bool]]:
    """A set with one replica of each member, and whether it may be searched without one."""
    with serving(cluster, made, tmp_path, *request.param) as served:
        yield served, bool(request.param)


def test_a_member_without_a_replica_is_named_until_it_is_back(single: tuple[ServedSet, bool], tmp_path: Path) -> None:
    served, is_partial = single
    expected = served.searched()
    directory = served.directory / KILLED
    directory.rename(tmp_path / "away")  # so that no other replica can start
    for replica in served.replicas(KILLED):
        replica.send_signal(signal.SIGKILL)
    for search in SEARCHES[:4]:
        status, answer = served.ask("POST", "/v1/search", search)
        if is_partial:
            assert (status, answer["missing"]) == (200, [KILLED])
        else:
            assert (status, f"{KILLED} of" in answer["detail"]) == (503, True), answer
    status, answer = served.ask("GET", "/v1/documents")
    assert (status, answer.get("missing")) == ((200, [KILLED]) if is_partial else (503, None))
    (tmp_path / "away").rename(directory)
    wait_until(lambda: served.ask("POST", "/v1/search", SEARCHES[0])[1].get("missing") == [])
    assert served.searched() == expected


def test_a_member_that_is_not_there_at_the_start_is_taken_up_later(
    cluster: RayCluster, made: Path, tmp_path: Path
) -> None:
    several = Path(shutil.copytree(made / "wiki-set", tmp_path / "wiki-set"))
    (several / KILLED).rename(tmp_path / "away")
    refused = cluster.run("serve", several, "--port", 0, "--on", f"127.0.0.1:{PORT}")
    assert (refused.returncode, f"{KILLED} cannot be served" in refused.stderr) == (7, True), refused.stderr
    served = ServedSet(cluster, several, "--allow-partial")
    try:
        assert served.ask("POST", "/v1/search", SEARCHES[0])[1]["missing"] == [KILLED]
        (tmp_path / "away").rename(several / KILLED)
        wait_until(lambda: served.ask("POST", "/v1/search", SEARCHES[0])[1]["missing"] == [])
        assert served.searched() == searched_here(several)
    finally:
        assert served.stop(signal.SIGTERM) == 0, served.log


def test_a_member_that_is_another_collection_is_refused_by_name(
    cluster: RayCluster, made: Path, tmp_path: Path
) -> None:
    several = Path(shutil.copytree(made / "wiki-set", tmp_path / "wiki-set"))
    shutil.rmtree(several / KILLED)
    shutil.copytree(several / member_name(0), several / KILLED)
    refused = cluster.run("serve", several, "--port", 0, "--on", f"127.0.0.1:{PORT}")
    assert refused.returncode == 7
    assert re.search(f"{KILLED} cannot be served: .*{KILLED} is another collection", refused.stderr)
    assert "Traceback" not in refused.stderr


MEMBERS_OF_MACHINES = ((0, 1), (1, 2))
"""Places of the members that each of two machines has."""


def join(cluster: RayCluster, own: Path, several: Path) -> subprocess.Popen[bytes]:
    """Another machine, on which the members of a folder lie where the set is; one that gave up is started again."""
    resources = json.dumps({f"{several.name}/{path.name}": 1 for path in own.iterdir()})
    mounted = ("unshare", "--mount", "sh", "-c", f'mount --bind {own} {several} && exec "$@"', "sh")
    before, machine = cluster.alive(), None

    def is_there() -> bool:
        nonlocal machine
        if machine is None or machine.poll() is not None:
            machine = cluster.join(f"--resources={resources}", within=mounted)
        return cluster.alive() > before

    wait_until(is_there)
    assert machine
    cluster.nodes.append(machine)
    return machine


def test_machines_serve_the_members_that_they_have(cluster: RayCluster, made: Path, tmp_path: Path) -> None:
    several, folders = tmp_path / "wiki-set", [tmp_path / name for name in ("one", "two")]
    several.mkdir()
    shutil.copy(made / "wiki-set" / "set.json", several)
    for own, places in zip(folders, MEMBERS_OF_MACHINES, strict=True):
        for name in map(member_name, places):
            shutil.copytree(made / "wiki-set" / name, own / name)
    first, _ = (join(cluster, own, several) for own in folders)
    whole = cluster.alive()
    served = ServedSet(cluster, several)
    try:
        expected = searched_here(made / "wiki-set")
        assert served.searched() == expected
        cluster.kill(first)
        cluster.nodes.remove(first)
        status, answer = served.ask("POST", "/v1/search", SEARCHES[0])
        assert (status, f"{member_name(0)} of" in answer["detail"]) == (503, True), answer
        wait_until(lambda: cluster.alive() < whole)
        join(cluster, folders[0], several)
        wait_until(lambda: served.ask("POST", "/v1/search", SEARCHES[0])[0] == 200)
        assert served.searched() == expected
    finally:
        assert served.stop(signal.SIGTERM) == 0, served.log
