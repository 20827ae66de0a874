"""Files that other tools take wrongly in silence: mined, judged and trained on, they are read rightly or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

CASES = Path(__file__).parents[1] / "unit" / "interop" / "cases"


@pytest.fixture
def collection(tmp_path: Path, run: Run) -> Callable[[str], Path]:
    """Makes a collection, for BM25 alone, of the documents of a case."""

    def collection(name: str) -> Path:
        assert run("add", tmp_path / name, CASES / f"{name}.docs.jsonl", "--no-vectors").returncode == 0
        return tmp_path / name

    return collection


def mined(path: Path) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in map(json.loads, path.read_text().splitlines())}


def ids(example: dict[str, Any], group: str) -> set[str]:
    return {passage["id"] for passage in example[group]}


def test_an_empty_answer_makes_no_passage_a_positive(collection: Any, tmp_path: Path, run: Run) -> None:
    done = run("mine", collection("empty-answer"), CASES / "empty-answer.questions.jsonl", "-o", tmp_path / "e.jsonl")
    assert done.returncode == 0, done.stderr
    assert r"dropped 2 answers found in every text: '' of question '1', '\u200b' of question '3'" in done.stderr
    examples = mined(tmp_path / "e.jsonl")
    assert set(examples) == {"1", "2"}  # the third question has no answer left
    assert ids(examples["1"], "positives") == {"b"}
    assert ids(examples["2"], "positives") == {"h"}
    assert examples["1"]["answers"] == ["1874"]


def test_an_empty_answer_is_not_found_in_every_passage(collection: Any, run: Run) -> None:
    questions = CASES / "empty-answer.questions.jsonl"
    done = run("evaluate", collection("empty-answer"), questions, "-r", "bm25", "-k", 1, "-k", 4, "--json")
    assert done.returncode == 0, done.stderr
    assert "dropped 2 answers found in every text" in done.stderr
    result = {item["measure"]: item for item in json.loads(done.stdout)["sets"]["empty-answer.questions"]["figures"]}
    assert result["answer@4"]["questions"] == 2
    assert result["answer@4"]["mean"] == 1.0


def test_a_twin_of_a_gold_document_is_no_negative_and_trains(
    collection: Any, tmp_path: Path, run: Run, tiny_model: Path
) -> None:
    examples = tmp_path / "e.jsonl"
    done = run("mine", collection("twins"), CASES / "twins.questions.jsonl", "-o", examples)
    assert done.returncode == 0, done.stderr
    result = mined(examples)
    for id, twins in (("1", {"a1", "a2"}), ("2", {"b1", "b2"})):
        assert len(ids(result[id], "positives") & twins) == 1
        assert not ids(result[id], "hard_negatives") & twins
        assert len({passage["text"] for passage in result[id]["hard_negatives"]}) == len(result[id]["hard_negatives"])
    done = run("train", "encoder", examples, "-o", tmp_path / "m", "--base", tiny_model, "--epochs", 1)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("lines", "taught"),
    [
        ((CASES / "one-question-twice.jsonl").read_text(), False),
        ((CASES / "two-positives.jsonl").read_text(), True),
        ("".join((CASES / "two-positives.jsonl").read_text().splitlines(keepends=True)[:2]), False),
        ('{"question": "Which town?", "positives": [{"text": "Albi."}]}\n', False),
    ],
    ids=["one question twice", "two positives", "one positive twice", "one example"],
)
def test_examples_that_teach_nothing_are_refused_before_the_first_step(
    tmp_path: Path, run: Run, tiny_model: Path, lines: str, taught: bool
) -> None:
    (tmp_path / "e.jsonl").write_text(lines)
    done = run("train", "encoder", tmp_path / "e.jsonl", "-o", tmp_path / "m", "--base", tiny_model, "--epochs", 1)
    assert done.returncode == (0 if taught else 3), done.stderr
    assert ("no batch has a negative for any of its questions" in done.stderr) == (not taught)
    assert (tmp_path / "m").exists() == taught


def test_passages_that_training_cuts_are_counted(tmp_path: Path, run: Run, tiny_model: Path) -> None:
    examples = CASES / "long-positive.jsonl"
    done = run("train", "encoder", examples, "-o", tmp_path / "m", "--base", tiny_model, "--epochs", 1)
    assert done.returncode == 0, done.stderr
    passages = json.loads((tmp_path / "m" / "training.json").read_text())["passages"]
    assert passages["cut"] > 0
    assert f"{passages['cut']} of {passages['encoded']} passages encoded by this run were longer than" in done.stderr


def test_every_case_is_read_or_refused_by_the_command_that_takes_it(tmp_path: Path, run: Run) -> None:
    """What each file gives with `opendpr import`; nothing is dropped without a word."""
    expected = {
        ("questions", "answer-key.jsonl"): "2 questions, 2 with answers",
        ("questions", "empty-answer.questions.jsonl"): "3 questions, 2 with answers",
        ("questions", "pyserini-dpr.json"): "1 question, 1 with answers",
        ("questions", "squad-flat.json"): "2 questions, 1 with answers",
        ("questions", "squad-empty-answer.json"): "2 questions, 1 with answers",
        ("spans", "squad-flat.json"): "left out 1 question without an answer marked in the passage",
        ("spans", "squad-empty-answer.json"): "dropped 1 answer found in every text",
        ("run", "document-twice.trec"): "document-twice.trec:2: 'FBIS4-1' is ranked twice",
        ("run", "ids-with-spaces.trec"): "1 question",
        ("run", "pyserini-dpr.json"): "1 question",
        ("passages", "stray-quote.tsv"): "stray-quote.tsv:2:",
        ("passages", "twins.docs.jsonl"): "6 passages",
        ("examples", "two-positives.jsonl"): "4 examples",
        ("examples", "long-positive.jsonl"): "2 examples",
    }
    for (noun, name), message in expected.items():
        done = run("import", noun, CASES / name, "-o", tmp_path / "out")
        assert message in done.stderr, (noun, name, done.stderr)
        assert done.returncode == (3 if ":2:" in message else 0), (noun, name, done.stderr)
