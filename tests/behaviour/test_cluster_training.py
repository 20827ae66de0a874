"""`train encoder --on`: two nodes of a Ray cluster train what two of torchrun do, and the driver keeps the model."""

from __future__ import annotations

import json
import re
import signal
import sys

import pytest

from opendpr.model.directory import Model
from ray_cluster import ADDRESS, Namespace, RayCluster, wait_until
from training_processes import run_machines

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
    """What two nodes of torchrun make, each with an output directory of its own."""
    outputs = [tmp_path_factory.mktemp("torchrun") / "model" for _ in range(2)]
    environment = ("env", "OMP_NUM_THREADS=1", "GLOO_SOCKET_IFNAME=lo")
    commands = [(*training, "-o", output) for output in outputs]
    ends = run_machines(commands, lambda command: cluster.namespace.inside([*environment, *command]))
    assert [status for status, _ in ends] == [0, 0], ends
    assert not outputs[1].exists()
    return outputs[0]


def weights(directory):
    return {name: value.tobytes() for name, value in Model(directory).load_weights("passage").items()}


def test_the_cluster_makes_the_bits_of_torchrun(cluster, training, together, tmp_path):
    output = tmp_path / "model"
    done = cluster.run(*training, "-o", output, "--on", ADDRESS, "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert len(set(re.findall(r"process \d of 2 is on .*\(node (\w+)\)", done.stderr))) == 2, done.stderr
    assert weights(output) == weights(together)
    record, expected = (json.loads((path / "training.json").read_text()) for path in (output, together))
    assert record["loss"] == expected["loss"]
    assert not (output / "checkpoints").exists()
    again = cluster.run(*training, "-o", output, "--on", ADDRESS, "--workers", "2")
    assert again.returncode == 4
    assert "holds a model already" in again.stderr


FROM_PYTHON = """
import sys, tomllib
import opendpr
examples, base, settings, output, address = sys.argv[1:]
with open(settings, "rb") as file:
    chosen = opendpr.EncoderSettings(**tomllib.load(file))
trained = opendpr.train_encoder(examples, base, output=output, settings=chosen, on=address, workers=2)
print(trained.model.fingerprint, len(trained.training.losses))
"""


def test_python_trains_on_a_cluster_by_the_same_arguments(cluster, training, together, tmp_path):
    _, _, examples, _, base, _, settings = training
    program = [sys.executable, "-c", FROM_PYTHON, examples, base, settings, tmp_path / "model", ADDRESS]
    done = cluster.namespace.command(program, check=False)
    assert done.returncode == 0, done.stderr
    assert weights(tmp_path / "model") == weights(together)
    fingerprint, steps = done.stdout.split()
    assert (fingerprint, int(steps)) == (Model(together).fingerprint, 24)


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


def test_a_training_that_lost_a_machine_goes_on(cluster, training, together, tmp_path):
    output = tmp_path / "model"
    driver = cluster.start(*training, "-o", output, "--on", ADDRESS, "--workers", "2")
    wait_until(lambda: any((output / "checkpoints").glob("step-*")) or driver.poll() is not None)
    cluster.kill(cluster.nodes.pop())
    assert driver.wait() in (7, 0)  # 0 if it was done already
    cluster.nodes.append(cluster.join())
    cluster.settle()
    if not (output / "config.json").exists():
        assert any((output / "checkpoints").glob("step-*"))
        done = cluster.run(*training, "-o", output, "--on", ADDRESS, "--workers", "2")
        assert done.returncode == 0, done.stderr
    assert weights(output) == weights(together)


def test_a_collection_is_not_sent(cluster, training, tmp_path):
    refused = cluster.run(*training[:3], "--objective", "inverse-cloze", "-o", tmp_path / "model", "--on", ADDRESS)
    assert refused.returncode == 2
    assert "takes one collection, no --weight and no --on" in refused.stderr
