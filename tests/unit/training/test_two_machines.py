"""Two machines that torchrun joins, with no file system in common but the examples, train what one process trains."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from opendpr.api.training import train_encoder
from opendpr.model.directory import Model
from opendpr.training.settings import EncoderSettings
from training_processes import run_machines

pytestmark = pytest.mark.usefixtures("one_thread")
PLACES = ["Paris", "Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Seoul"]
SETTINGS = EncoderSettings(
    epochs=2, batch_size=8, learning_rate=1e-3, dropout=0.0, precision="fp32", device="cpu", hard_negatives=0
)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """24 questions, each with the passage that answers it."""
    records = []
    for place in PLACES:
        for person in ("Ada", "Bert", "Carla"):
            passage = {"title": person, "text": f"The traveller {person} went by train to {place}, and stayed."}
            records.append({"question": f"Where did {person} go, to {place}?", "positives": [passage]})
    path = tmp_path / "examples.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_two_machines_write_the_model_of_one_process(examples: Path, tiny_model: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    names = ("epochs", "batch_size", "learning_rate", "dropout", "precision", "device", "hard_negatives")
    settings.write_text("".join(f"{name} = {json.dumps(getattr(SETTINGS, name))}\n" for name in names))
    options = ("--base", tiny_model, "--settings", settings)
    outputs = [tmp_path / f"machine{number}" / "model" for number in (1, 2)]
    ends = run_machines([("train", "encoder", examples, *options, "-o", output) for output in outputs])
    assert [status for status, _ in ends] == [0, 0], ends
    alone = train_encoder(examples, tiny_model, output=tmp_path / "alone", settings=SETTINGS)
    together = Model(outputs[0])
    assert not outputs[1].exists()
    record = json.loads((outputs[0] / "training.json").read_text())
    assert record["loss"] == pytest.approx(sum(alone.training.losses) / len(alone.training.losses), abs=1e-5)
    expected, actual = (model.load_weights("passage") for model in (alone.model, together))
    for name, weights in expected.items():
        np.testing.assert_allclose(actual[name], weights, atol=1e-3, err_msg=name)
    start = Model(tiny_model).load_weights("passage")
    assert max(np.abs(actual[name] - start[name]).max() for name in start) > 2e-3  # the training changed them
