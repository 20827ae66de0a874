"""Models of other systems by the command line: in, out, and at work."""

from __future__ import annotations

import json

import pytest

from opendpr.model.directory import Model


@pytest.fixture
def theirs(tmp_path, tiny_model, run):
    done = run("export", "model", str(tiny_model), "--to", "sentence-transformers", "-o", "theirs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path / "theirs"


def test_import_says_what_it_found_and_how_far_it_is_from_the_source(tmp_path, tiny_model, theirs, run):
    done = run("import", "model", "theirs", "-o", "ours", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "found: sentence-transformers model, 2 layers, 32 wide" in done.stderr
    assert "pooling mean, similarity cosine, questions up to 64 tokens, passages up to 256" in done.stderr
    assert done.stderr.rstrip().endswith(f"wrote ours, fingerprint {Model(tiny_model).fingerprint[:12]}")
    metrics = json.loads((tmp_path / "ours" / "metrics.json").read_text())
    differences = metrics["largest difference to the source"]
    assert set(differences) == {"questions", "passages"}
    assert max(differences.values()) < 1e-4


def test_what_cannot_be_imported_is_bad_input_and_leaves_nothing_behind(tmp_path, theirs, run):
    config = json.loads((theirs / "config.json").read_text())
    (theirs / "config.json").write_text(json.dumps({**config, "model_type": "modernbert"}))
    done = run("import", "model", "theirs", "-o", "ours", cwd=tmp_path)
    assert done.returncode == 3
    assert "modernbert" in done.stderr
    assert not (tmp_path / "ours").exists()
    assert run("import", "model", "-o", "ours", cwd=tmp_path).returncode == 2


def test_a_card_says_how_the_model_is_fed(theirs):
    card = (theirs / "README.md").read_text()
    assert "title [SEP] text" in card
    assert "longest passage 256" in card
