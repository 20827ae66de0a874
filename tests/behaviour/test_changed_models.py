"""A model whose files were changed under its fingerprint encodes nothing: a collection would hold vectors of two."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run

from opendpr.errors import CorruptionError
from opendpr.model.directory import Model, read_weights, write_weights


def change_a_weight(model: Path) -> None:
    weights = read_weights(model / "encoder" / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    write_weights(model / "encoder", {**weights, name: weights[name] + 1})


def change_a_word(model: Path) -> None:
    path = model / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"river"', '"rivor"'), encoding="utf-8")


def change_the_pooling(model: Path) -> None:
    values = json.loads((model / "config.json").read_text())
    values["encoder"]["pooling"] = "cls"
    (model / "config.json").write_text(json.dumps(values))


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.mark.parametrize("change", [change_a_weight, change_a_word, change_the_pooling])
def test_a_changed_model_neither_adds_nor_searches(
    model: Path, tmp_path: Path, run: Run, change: Callable[[Path], None]
) -> None:
    (tmp_path / "first.txt").write_text("The mill stands by the river.")
    (tmp_path / "second.txt").write_text("The bridge is older than the mill.")
    assert run("add", "notes", "first.txt", "--model", "model", cwd=tmp_path).returncode == 0
    dense = ("search", "notes", "mill", "-r", "dense", "--json")
    before = run(*dense, cwd=tmp_path)
    assert before.returncode == 0, before.stderr
    change(model)
    for arguments in (("add", "notes", "second.txt", "--model", "model"), dense):
        refused = run(*arguments, cwd=tmp_path)
        assert refused.returncode == 5, refused.stderr
        expected = Model(model).fingerprint[:12]
        assert f"expected {expected} as in config.json; a file was changed" in refused.stderr
        assert "Traceback" not in refused.stderr

    renamed = run("import", "model", "model", "-o", "renamed", cwd=tmp_path)
    assert renamed.returncode == 0, renamed.stderr
    assert Model(tmp_path / "renamed").fingerprint != Model(model).fingerprint
    assert run("encode", "notes", "--model", "renamed", cwd=tmp_path).returncode == 0
    found = run(*dense, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    ids = {json.loads(line)["document_id"] for line in found.stdout.splitlines()}
    assert ids == {"first.txt", "second.txt"}, "what was added before it was refused waits for its vector"


def test_a_changed_model_is_no_base_of_a_training(model: Path, tmp_path: Path, run: Run) -> None:
    change_a_weight(model)
    pair = {"question": "Where is the mill?", "positive_ctxs": [{"title": "", "text": "The mill is by the river."}]}
    (tmp_path / "pairs.jsonl").write_text(f"{json.dumps(pair)}\n" * 2)
    refused = run("train", "encoder", "pairs.jsonl", "--base", "model", "-o", "out", cwd=tmp_path)
    assert refused.returncode == 5, refused.stderr
    assert "a file was changed" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_a_cluster_is_not_sent_a_changed_model(model: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed; pip install 'opendpr[ray]'")
    from opendpr.cluster.encoding import RayEncoder

    change_a_weight(model)
    with pytest.raises(CorruptionError, match=re.escape(str(model))):
        RayEncoder(Model(model))


def test_an_encoder_is_verified_once(model: Path) -> None:
    opened = Model(model)
    opened.verify_encoder()
    change_a_weight(model)
    opened.verify_encoder()
    with pytest.raises(CorruptionError):
        Model(model).verify_encoder()


def test_a_reader_of_another_training_leaves_the_encoder_usable(model: Path, tmp_path: Path, run: Run) -> None:
    weights = read_weights(model / "reader" / "model.safetensors")
    write_weights(model / "reader", {name: value * 2 for name, value in weights.items()})
    (tmp_path / "first.txt").write_text("The mill stands by the river.")
    assert run("add", "notes", "first.txt", "--model", "model", cwd=tmp_path).returncode == 0
