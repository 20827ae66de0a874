"""Models of other systems by the command line: in, out, and at work."""

from __future__ import annotations

import json

import pytest
from experiments.common.foreign_models import write_network

from opendpr.model.directory import Model, find_model


@pytest.fixture
def theirs(tmp_path, tiny_model, run):
    done = run("export", "model", str(tiny_model), "--to", "sentence-transformers", "-o", "theirs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["left out the reader: sentence-transformers has none", "wrote theirs"]
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


def test_passages_are_ranked_by_a_cross_encoder(tmp_path, tiny_model, run):
    write_network(tmp_path / "theirs", "bert", "SequenceClassification", num_labels=1)
    done = run("import", "model", "theirs", "-o", "reranker", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "found: cross-encoder (BertForSequenceClassification)" in done.stderr
    (tmp_path / "docs").mkdir()
    for name, text in (("a", "The letter was written in March."), ("b", "The letter is lost."), ("c", "A river.")):
        (tmp_path / "docs" / f"{name}.txt").write_text(text)
    assert run("add", "notes", "docs", "--model", str(tiny_model), cwd=tmp_path).returncode == 0
    command = ("search", "notes", "who wrote the letter", "--json")
    plain = [json.loads(line) for line in run(*command, cwd=tmp_path).stdout.splitlines()]
    again = run(*command, "--rerank", "./reranker", "--rerank-depth", "2", cwd=tmp_path)
    ranked = [json.loads(line) for line in again.stdout.splitlines()]
    assert {hit["passage_id"] for hit in ranked} == {hit["passage_id"] for hit in plain}, again.stderr
    scores = [hit["score"] for hit in ranked]
    assert scores == sorted(scores, reverse=True)
    assert set(ranked[0]["parts"]) == {"dense", "bm25", "rerank"}
    asked = run("ask", "notes", "who wrote the letter", "--json", "--rerank", "./reranker", cwd=tmp_path)
    assert asked.returncode == 0, asked.stderr
    assert run(*command, "--rerank", str(tiny_model), cwd=tmp_path).returncode == 4


def test_a_card_says_how_the_model_is_fed(theirs):
    card = (theirs / "README.md").read_text()
    assert "title [SEP] text" in card
    assert "longest passage 256" in card


def test_an_encoder_borrows_the_reader_of_a_model_package(tmp_path, tiny_model, theirs, run):
    done = run("import", "model", "theirs", "--reader", "opendpr-minilm", "-o", "ours", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    reader = find_model("opendpr-minilm").require_reader()
    assert f"reader: opendpr model, {reader.architecture.num_hidden_layers} layers" in done.stderr
    ours = Model(tmp_path / "ours")
    assert ours.fingerprint == Model(tiny_model).fingerprint
    assert ours.require_reader() == reader


def test_a_model_that_is_named_but_not_there_says_how_to_get_it(tmp_path, theirs, run):
    done = run("import", "model", "someone/all-minilm", "-o", "ours", cwd=tmp_path)
    assert done.returncode == 3
    assert "hf download NAME --local-dir DIR" in done.stderr
    (tmp_path / "docs.jsonl").write_text('{"id": "1", "text": "The letter."}')
    done = run("add", "notes", "docs.jsonl", "--model", "./theirs", cwd=tmp_path)
    assert done.returncode == 4
    assert "theirs is a model of another system" in done.stderr
    assert "opendpr import model" in done.stderr
