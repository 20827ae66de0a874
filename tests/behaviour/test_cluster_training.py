"""`train encoder --on`: processes of a Ray cluster train what torchrun's train, and the driver keeps what they make."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from opendpr.model.directory import Model
from ray_cluster import ADDRESS, Namespace, RayCluster, wait_until

ray = pytest.importorskip("ray", reason="Ray is not installed; pip install 'opendpr[ray]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(Namespace.missing()), reason=Namespace.missing() or ""),
]
PLACES = ["Paris", "Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Seoul"]
SETTINGS = {"epochs": 4, "batch_size": 4, "learning_rate": 1e-3, "dropout": 0.0, "precision": "fp32", "device": "cpu"}


@pytest.fixture(scope="module")
def cluster():
    cluster = RayCluster(nodes=2)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def training(tmp_path_factory, tiny_model):
    """The arguments of a training of two dozen steps, without its output."""
    folder = tmp_path_factory.mktemp("training")
    records = []
    for place in PLACES:
        for person in ("Ada", "Bert", "Carla"):
            passage = {"title": person, "text": f"The traveller {person} went by train to {place}, and stayed."}
            records.append({"question": f"Where did {person} go, to {place}?", "positives": [passage]})
    (folder / "examples.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    lines = "".join(
        f"{name} = {json.dumps(value)}\n"
        for name, value in (SETTINGS | {"checkpoint_seconds": 0.001, "hard_negatives": 0}).items()
    )
    (folder / "settings.toml").write_text(lines)
    return ("train", "encoder", folder / "examples.jsonl", "--base", tiny_model, "--settings", folder / "settings.toml")


@pytest.fixture(scope="module")
def together(tmp_path_factory, cluster, training):
    """What two processes of torchrun make."""
    output = tmp_path_factory.mktemp("torchrun") / "model"
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1")
    environment = ("env", "OMP_NUM_THREADS=1", "GLOO_SOCKET_IFNAME=lo")
    done = cluster.namespace.command([*environment, *torchrun, "-m", "opendpr", *training, "-o", output], check=False)
    assert done.returncode == 0, done.stderr
    return output


def weights(directory):
    return {name: value.tobytes() for name, value in Model(directory).load_weights("passage").items()}


def test_the_cluster_makes_the_bits_of_torchrun(cluster, training, together, tmp_path):
    output = tmp_path / "model"
    done = cluster.run(*training, "-o", output, "--on", ADDRESS, "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert weights(output) == weights(together)
    record, expected = (json.loads((path / "training.json").read_text()) for path in (output, together))
    assert record["loss"] == expected["loss"]
    assert not (output / "checkpoints").exists()
    again = cluster.run(*training, "-o", output, "--on", ADDRESS, "--workers", "2")
    assert again.returncode == 4
    assert "holds a model already" in again.stderr


def test_an_interrupted_training_goes_on(cluster, training, together, tmp_path):
    output = tmp_path / "model"
    driver = cluster.start(*training, "-o", output, "--on", ADDRESS, "--workers", "2")
    wait_until(lambda: any((output / "checkpoints").glob("step-*")) or driver.poll() is not None)
    if driver.poll() is None:
        driver.send_signal(signal.SIGINT)
    assert driver.wait() in (130, 0)
    if not (output / "config.json").exists():
        assert any((output / "checkpoints").glob("step-*"))
        done = cluster.run(*training, "-o", output, "--on", ADDRESS, "--workers", "2")
        assert done.returncode == 0, done.stderr
    assert weights(output) == weights(together)


def test_a_collection_is_not_sent(cluster, training, tmp_path):
    refused = cluster.run(*training[:3], "--objective", "inverse-cloze", "-o", tmp_path / "model", "--on", ADDRESS)
    assert refused.returncode == 2
    assert "neither --weight nor --on" in refused.stderr
