"""`--on`: passages are encoded by the workers of a Ray cluster, some of which are killed."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import suppress

import numpy as np
import psutil
import pytest
from conftest import write_documents
from experiments.common.encoded import encoded_so_far, stored_vectors

from ray_cluster import ADDRESS, PORT, Namespace, RayCluster, wait_until

ray = pytest.importorskip("ray", reason="Ray is not installed; pip install 'opendpr[ray]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(Namespace.missing()), reason=Namespace.missing() or ""),
]
DOCUMENTS, WORDS = 60, 5_000
"""3,000 passages, which are six chunks."""


@pytest.fixture(scope="module")
def cluster():
    cluster = RayCluster(nodes=2)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory, cluster, tiny_model):
    """A collection that one process encoded."""
    folder = tmp_path_factory.mktemp("plain")
    documents = write_documents(folder / "docs", DOCUMENTS, WORDS)
    added = cluster.run("add", folder / "here", documents, "-m", tiny_model, "--precision", "fp32")
    assert added.returncode == 0, added.stderr
    stored = cluster.run("add", folder / "stored", documents, "--no-vectors")
    assert stored.returncode == 0, stored.stderr
    return folder


def encode(collection, model):
    return ("encode", collection, "-m", model, "--precision", "fp32", "--on", ADDRESS, "--workers", "2")


def test_workers_make_the_bits_that_one_process_makes(cluster, plain, tmp_path, tiny_model):
    notes = tmp_path / "notes"
    shutil.copytree(plain / "stored", notes)
    done = cluster.run(*encode(notes, tiny_model), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["encoded"] == len(stored_vectors(notes))
    assert done.stderr.count("encoded") == 2, done.stderr  # both machines did work
    assert np.array_equal(stored_vectors(notes), stored_vectors(plain / "here"))


def test_documents_are_added_by_workers_too(cluster, plain, tmp_path, tiny_model):
    added = cluster.run(
        "add", tmp_path / "notes", plain / "docs", "-m", tiny_model, "--precision", "fp32", "--on", ADDRESS
    )
    assert added.returncode == 0, added.stderr
    assert np.array_equal(stored_vectors(tmp_path / "notes"), stored_vectors(plain / "here"))


FROM_PYTHON = """
import sys
import opendpr
collection, model, address = sys.argv[1:]
runtime = opendpr.RuntimeSettings(precision="fp32")
with opendpr.open(collection, runtime=runtime, retriever="bm25") as notes:
    print(notes.encode(model, on=address, workers=2))
"""


def test_python_encodes_on_a_cluster_by_the_same_argument(cluster, plain, tmp_path, tiny_model):
    notes = tmp_path / "notes"
    shutil.copytree(plain / "stored", notes)
    program = [sys.executable, "-c", FROM_PYTHON, notes, tiny_model, f"127.0.0.1:{PORT}"]
    done = cluster.namespace.command(program, check=False)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(stored_vectors(notes), stored_vectors(plain / "here"))
    assert int(done.stdout) == len(stored_vectors(notes))


def test_auto_is_the_cluster_of_the_machine(cluster, plain, tmp_path, tiny_model):
    shutil.copytree(plain / "stored", tmp_path / "notes")
    command = ["env", f"RAY_ADDRESS=127.0.0.1:{PORT}", sys.executable, "-m", "opendpr", "encode", tmp_path / "notes"]
    done = cluster.namespace.command([*command, "-m", tiny_model, "--precision", "fp32", "--on", "auto"], check=False)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(stored_vectors(tmp_path / "notes"), stored_vectors(plain / "here"))


@pytest.mark.parametrize("replaced", [False, True, False, True, False])
def test_a_machine_that_dies_costs_nothing_but_time(cluster, plain, tmp_path, tiny_model, replaced):
    notes, expected = tmp_path / "notes", stored_vectors(plain / "here")
    shutil.copytree(plain / "stored", notes)
    driver = cluster.start(*encode(notes, tiny_model))
    wait_until(lambda: encoded_so_far(notes) > 0)
    cluster.kill(cluster.nodes.pop())
    assert encoded_so_far(notes) < len(expected)
    if replaced:  # another takes its place
        cluster.nodes.append(cluster.join())
    assert driver.wait() == 0
    assert np.array_equal(stored_vectors(notes), expected)
    assert cluster.run("verify", notes).returncode == 0
    if not replaced:
        cluster.nodes.append(cluster.join())
    cluster.settle()


def test_a_client_whose_server_dies_at_its_start_gets_another(cluster, plain, tmp_path, tiny_model):
    """Ray forks it off a process with threads, and now and then it does not survive that."""
    notes = tmp_path / "notes"
    shutil.copytree(plain / "stored", notes)
    driver = cluster.start(*encode(notes, tiny_model))
    for _ in range(2):
        wait_until(lambda: client_servers(cluster) or driver.poll() is not None, every_seconds=0.01)
        for server in client_servers(cluster):
            server.kill()
    assert driver.wait() == 0, cluster.why()
    assert np.array_equal(stored_vectors(notes), stored_vectors(plain / "here"))


def client_servers(cluster):
    """Ray's process for each client, beside the one that starts them."""
    found = []
    for process in psutil.Process(cluster.head.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "--mode=specific-server" in process.cmdline():
                found.append(process)
    return found


def test_a_command_that_was_killed_goes_on(cluster, plain, tmp_path, tiny_model):
    notes = tmp_path / "notes"
    shutil.copytree(plain / "stored", notes)
    driver = cluster.start(*encode(notes, tiny_model))
    wait_until(lambda: encoded_so_far(notes) > 0 or driver.poll() is not None)
    driver.kill()
    driver.wait()
    done = cluster.run(*encode(notes, tiny_model))
    assert done.returncode == 0, done.stderr
    assert np.array_equal(stored_vectors(notes), stored_vectors(plain / "here"))


def test_an_address_without_a_cluster_is_said(cluster, plain, tmp_path, tiny_model):
    shutil.copytree(plain / "stored", tmp_path / "notes")
    refused = cluster.run("encode", tmp_path / "notes", "-m", tiny_model, "--on", "127.0.0.1:6400")
    assert refused.returncode == 7
    assert "no Ray cluster was reached at 127.0.0.1:6400" in refused.stderr
    assert "Traceback" not in refused.stderr
