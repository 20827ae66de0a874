"""`opendpr train answering`, and `ask` with what it fitted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

import opendpr
from opendpr.errors import InputError
from opendpr.model.directory import Model, find_model
from opendpr.types import Document

NAMES = [f"{start}{end}" for start in ("Al", "Bor", "Cam", "Der", "Ev") for end in ("ton", "by", "ford", "ham")]
TRADES = ["baker", "smith", "weaver", "miller", "mason", "tailor", "cooper", "fisher"]


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 towns, each with a river and a trade."""
    directory = tmp_path_factory.mktemp("answering") / "notes"
    documents = [
        Document(name, name, f"{name} is a small town. It lies on the river {name[:3]}ne. Its first mayor was a "
                 f"{TRADES[number % 8]} called {name[::-1].title()}. The bridge was built in {1700 + number}.")
        for number, name in enumerate(NAMES)
    ]  # fmt: skip
    opendpr.add(directory, documents)
    return directory


def questions(path: Path) -> Path:
    records: list[dict[str, Any]] = []
    for number, name in enumerate(NAMES):
        records.append({"question": f"When was the bridge of {name} built?", "answers": [str(1700 + number)]})
        records.append({"question": f"In which year was the bridge at {name} built?", "answers": [str(1700 + number)]})
        records.append({"question": f"Who was the first mayor of {name}?", "answers": [name[::-1].title()]})
        records.append({"question": f"Which trade had the first mayor of {name}?", "answers": [TRADES[number % 8]]})
        records.append({"question": f"Who wrote the opera about {name[::-1]}?", "answers": []})
        records.append({"question": f"How many ships sank near {name}?", "answers": []})
    for number, record in enumerate(records):
        record["id"] = str(number)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def fitted(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model fitted once by the command."""
    import subprocess

    from conftest import command

    folder = tmp_path_factory.mktemp("fitted")
    output = folder / "model"
    path = questions(folder / "questions.jsonl")
    options = ("--model", "opendpr-minilm", "-o", output, "-k", 2, "--least-precision", 0.7, "--precision", "fp32")
    done = subprocess.run(
        command("train", "answering", notes, path, *options, "-r", "hybrid", "-r", "bm25", "--json"),
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report["confidence"]) == {"hybrid", "bm25"}
    return output


def test_the_model_is_the_same_but_for_what_was_fitted(fitted: Path) -> None:
    base, model = find_model("opendpr-minilm"), Model(fitted)
    assert model.fingerprint == base.fingerprint
    assert set(model.retrieval) >= {"lambda", "passage", "span", "reader"}
    assert set(model.confidence["hybrid"]) >= {"bias", "threshold", "share", "passage", "margin"}
    record = json.loads((fitted / "training.json").read_text())
    assert record["answering"]["settings"]["k"] == 2
    assert record["answering"]["figures"]["hybrid"]["AUROC answerable"] > 0.8
    assert record["settings"] == json.loads((base.directory / "training.json").read_text())["settings"]


def test_what_is_in_the_documents_is_answered_and_what_is_not_is_not(notes: Path, fitted: Path, run: Run) -> None:
    options = ("--model", fitted, "-k", 3)
    done = run("ask", notes, "When was the bridge of Camford built?", *options)
    assert done.stdout.startswith("1710  (confidence "), done.stdout + done.stderr
    done = run("ask", notes, "How many ships sank near Bamberg?", *options)
    assert done.stdout.startswith("no answer found; the sentence that comes nearest is\n"), done.stdout
    assert len(done.stdout.splitlines()) == 4
    assert re.search(r"\(confidence 0\.\d\d that the answer is in this sentence\)$", done.stdout.splitlines()[1])
    done = run("ask", notes, "How many ships sank near Bamberg?", *options, "--explain")
    assert "there is no answer below a confidence of" in done.stdout
    done = run("ask", notes, "How many ships sank near Bamberg?", *options, "--explain", "--json")
    report = json.loads(done.stdout)
    assert report["answers"][0]["kind"] == "sentence"
    assert report["answers"][0]["confidence_means"] == "the answer is in this sentence"
    (first,) = report["explanations"]
    assert {part["name"] for part in first["confidence"]} >= {"share", "missing", "bias"}
    done = run("ask", notes, "-", *options, input="How many ships sank near Bamberg?\n")
    report = json.loads(done.stdout)
    assert not report["answerable"]
    assert report["answers"][0]["confidence"] < 0.5


def test_a_packages_own_directory_is_not_written_to(notes: Path, tmp_path: Path, run: Run) -> None:
    done = run("train", "answering", notes, questions(tmp_path / "q.jsonl"), "--model", "opendpr-minilm")
    assert done.returncode == 2
    assert "say with -o where the fitted model is to be written" in done.stderr


def test_a_directory_with_another_model_is_not_written_over(
    notes: Path, fitted: Path, tmp_path: Path, run: Run
) -> None:
    path = questions(tmp_path / "q.jsonl")
    done = run("train", "answering", notes, path, "--model", "opendpr-minilm", "-o", fitted)
    assert done.returncode == 4
    assert "holds a model already" in done.stderr


def test_too_few_questions_are_refused_before_anything_is_encoded_or_read(
    tmp_path: Path, environment: dict[str, str], run: Run
) -> None:
    folder, path, output = tmp_path / "docs", tmp_path / "few.jsonl", tmp_path / "m"
    folder.mkdir()
    (folder / "a.txt").write_text("The bridge of Camford was built in 1710.")
    few = [{"question": "When was the bridge of Camford built?", "answers": ["1710"]}] * 29
    few += [{"question": "How many ships sank near Camford?", "answers": []}] * 100
    path.write_text("".join(json.dumps(record | {"id": str(id)}) + "\n" for id, record in enumerate(few)))
    done = run("train", "answering", folder, path, "--model", "opendpr-minilm", "-o", output)
    assert done.returncode == 3
    assert "29 of 129 questions have an answer, at least 30 are needed" in done.stderr
    assert not any(Path(environment["XDG_CACHE_HOME"]).rglob("collection.db"))
    assert not output.exists()


def test_questions_that_can_give_too_few_right_and_wrong_answers_are_refused(notes: Path) -> None:
    answered = [{"id": str(id), "question": "When was Camford built?", "answers": ["1710"]} for id in range(40)]
    with pytest.raises(InputError, match="answered 40 times, which is too few for 30 right and 30 wrong answers"):
        opendpr.fit_answering(
            notes, answered, output=notes / "m", settings=opendpr.AnsweringSettings(removed_share=0.0)
        )
