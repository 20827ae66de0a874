"""`opendpr add --no-vectors`: a collection for BM25 and for mining, before there is a model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import contents

import opendpr
from opendpr.collection import open_collection, open_writer
from opendpr.errors import StateError, UsageError
from opendpr.maintenance.add import add_documents
from opendpr.text.splitting import Splitter
from opendpr.types import Document
from refusals import refused

TEXTS = {
    "mill": "The mill stands by the river. It was built in 1811.",
    "bridge": "The bridge spans the river. It was built in 1822.",
    "tower": "The tower stands on the hill. Nobody knows its age.",
}
QUESTIONS = [
    {"id": "m", "question": "When was the mill built?", "answers": ["1811"]},
    {"id": "b", "question": "When was the bridge built?", "answers": ["1822"], "document_id": "bridge"},
]
STEP = "opendpr encode"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / f"{name}.txt").write_text(text)
    records = (
        {**question, "document_id": "bridge.txt"} if "document_id" in question else question for question in QUESTIONS
    )
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path


@pytest.fixture
def notes(files: Path, run: Any) -> Path:
    """A collection without vectors."""
    done = run("add", files / "notes", files / "docs", "--no-vectors")
    assert done.returncode == 0, done.stderr
    assert "passages encoded" not in done.stderr
    assert (
        f"3 passages without a vector: bm25 alone finds them until '{STEP} {files / 'notes'}', or any 'opendpr add'"
        in done.stderr
    )
    return files / "notes"


def ok(done: Any) -> Any:
    assert done.returncode == 0, done.stderr
    return done


def test_what_needs_no_vectors_works_without_any_model(notes: Path, files: Path, run: Any, tmp_path: Path) -> None:
    hit = json.loads(ok(run("search", notes, "mill", "-r", "bm25", "-k", "1", "--json")).stdout)
    assert hit["document_id"] == "mill.txt"
    assert len(ok(run("list", notes)).stdout.splitlines()) == 3
    assert ok(run("show", notes, "mill.txt")).stdout == TEXTS["mill"] + "\n"
    assert f"without vector: 3 passages; bm25 alone finds them until '{STEP}" in ok(run("info", notes)).stdout
    summary = json.loads(ok(run("info", notes, "--json")).stdout)
    assert (summary["encoder"], summary["vectors"], summary["to_encode"], summary["not_in_bm25"]) == (None, 0, 3, 0)
    examples = tmp_path / "examples.jsonl"
    ok(run("mine", notes, files / "questions.jsonl", "-o", examples))
    assert [json.loads(line)["positives"][0]["text"] for line in examples.read_text().splitlines()] == [
        TEXTS["mill"],
        TEXTS["bridge"],
    ]
    command = ["evaluate", notes, files / "questions.jsonl", "-r", "bm25", "-o", tmp_path / "run.jsonl"]
    figures = json.loads(ok(run(*command, "--json")).stdout)["sets"]["questions"]["figures"]
    assert {figure["measure"]: figure["mean"] for figure in figures}["answer@1"] == 1
    assert json.loads((tmp_path / "run.jsonl").read_text().splitlines()[0])["model"] is None
    page = tmp_path / "report.html"
    ok(run("report", tmp_path / "run.jsonl", "-o", page))
    assert "3 passages, by bm25. Every figure" in page.read_text()
    ok(run("verify", notes))
    ok(run("optimize", notes))
    ok(run("backup", notes, tmp_path / "copy"))
    ok(run("remove", notes, "tower.txt"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "notes", "mill"),
        ("search", "notes", "mill", "-r", "dense", "-m", "opendpr-minilm"),
        ("ask", "notes", "When was the mill built?"),
        ("evaluate", "notes", "questions.jsonl", "-r", "bm25", "-r", "dense", "-o", "run.jsonl"),
        ("mine", "notes", "questions.jsonl", "-r", "dense", "-o", "examples.jsonl"),
    ],
    ids=lambda arguments: " ".join(arguments[:1] + arguments[3:]),
)
def test_what_needs_vectors_says_how_to_make_them(notes: Path, run: Any, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, cwd=notes.parent)
    refused(done, 4, "notes holds no vectors", "'opendpr encode notes'", "--retriever bm25")
    assert not (notes.parent / "run.jsonl").exists()


def test_an_answer_from_bm25_takes_the_reader_of_the_model_named(notes: Path, run: Any, tiny_model: Path) -> None:
    done = ok(run("ask", notes, "When was the mill built?", "-r", "bm25", "-m", tiny_model, "--json"))
    assert json.loads(done.stdout)["answers"]


def test_a_collection_whose_model_is_gone_still_serves_bm25(
    files: Path, run: Any, tiny_model: Path, tmp_path: Path
) -> None:
    model, notes = tmp_path / "model", tmp_path / "notes"
    shutil.copytree(tiny_model, model)
    ok(run("add", notes, files / "docs", "-m", model))
    shutil.rmtree(model)
    ok(run("search", notes, "mill", "-r", "bm25"))
    ok(run("evaluate", notes, files / "questions.jsonl", "-r", "bm25"))
    ok(run("mine", notes, files / "questions.jsonl", "-o", tmp_path / "examples.jsonl"))
    refused(run("search", notes, "mill"), 4, str(model))
    refused(run("ask", notes, "When was the mill built?", "-r", "bm25"), 4, str(model))


@pytest.mark.parametrize("verb", ["encode", "add"])
def test_vectors_come_later_and_are_those_of_one_step(
    notes: Path, files: Path, run: Any, tiny_model: Path, tmp_path: Path, verb: str
) -> None:
    command = ("add", notes, files / "docs") if verb == "add" else ("encode", notes)
    done = ok(run(*command, "-m", tiny_model))
    assert "passages encoded: 3" in done.stderr or "3 passages encoded" in done.stderr
    ok(run("add", tmp_path / "again", files / "docs", "-m", tiny_model))
    assert contents(notes) == contents(tmp_path / "again")
    for retriever in ("dense", "bm25", "hybrid"):
        expected = ok(run("search", tmp_path / "again", "mill", "-r", retriever, "--json")).stdout
        assert ok(run("search", notes, "mill", "-r", retriever, "--json")).stdout == expected
    assert "without vector" not in ok(run("info", notes)).stdout


def test_without_vectors_a_changed_document_is_replaced_at_once(notes: Path, files: Path, run: Any) -> None:
    (files / "docs" / "mill.txt").write_text("The mill burned down.")
    done = ok(run("add", notes, files / "docs", "--no-vectors", "--sync"))
    assert "documents: 1 replaced, 2 unchanged" in done.stderr
    assert "stay as they were" not in done.stderr
    assert ok(run("show", notes, "mill.txt")).stdout == "The mill burned down.\n"
    assert "mill.txt" in ok(run("search", notes, "burned", "-r", "bm25")).stdout
    assert ok(run("search", notes, "1811", "-r", "bm25")).stdout == "no passage found\n"
    assert json.loads(ok(run("info", notes, "--json")).stdout)["passages"] == 3
    ok(run("add", notes, files / "docs", "--no-vectors", "--words", "3", "--resplit"))
    with open_collection(notes) as collection:
        assert not len(collection.hidden())
        assert [p.text for p in collection.passages_of("mill.txt")] == ["The mill burned ", "down."]
    ok(run("verify", notes))


def test_beside_vectors_a_changed_document_waits_for_its_own(
    files: Path, run: Any, tiny_model: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    ok(run("add", notes, files / "docs", "-m", tiny_model))
    (files / "docs" / "mill.txt").write_text("The mill burned down.")
    (files / "docs" / "new.txt").write_text("The weir is new.")
    done = ok(run("add", notes, files / "docs", "--no-vectors"))
    assert (
        f"2 passages without a vector: bm25 alone finds them until '{STEP} {notes} --model {tiny_model}'" in done.stderr
    )
    assert "replaced documents stay as they were until then" in done.stderr
    assert ok(run("show", notes, "mill.txt")).stdout == TEXTS["mill"] + "\n"
    assert "new.txt" in ok(run("search", notes, "weir", "-r", "bm25")).stdout
    ok(run("encode", notes, "-m", tiny_model))
    assert ok(run("show", notes, "mill.txt")).stdout == "The mill burned down.\n"


def test_a_document_from_another_file_of_the_same_name_is_told(notes: Path, run: Any, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mill.txt").write_text("Another mill.")
    done = ok(run("add", notes, tmp_path / "other", "--no-vectors"))
    assert f"mill.txt of {tmp_path / 'docs' / 'mill.txt'} was replaced by that of" in done.stderr


def test_a_model_that_would_not_be_used_is_refused(files: Path, run: Any, tiny_model: Path) -> None:
    done = run("add", files / "notes", files / "docs", "--no-vectors", "-m", tiny_model)
    refused(done, 2, "--no-vectors loads no model", "leave out --model")
    assert not (files / "notes").exists()


def test_the_same_from_python(tmp_path: Path) -> None:
    documents = [Document(name, "", text) for name, text in TEXTS.items()]
    report = opendpr.add(tmp_path / "notes", documents, vectors=False)
    assert (report.documents["added"], report.encoded) == (3, 0)
    answerer = opendpr.open(tmp_path / "notes", retriever="bm25")
    assert [hit.passage.document_id for hit in answerer.search("mill", 1)] == ["mill"]
    with pytest.raises(StateError, match="holds no vectors"):
        opendpr.open(tmp_path / "notes").search("mill")
    with pytest.raises(UsageError, match="leave out the model"):
        opendpr.add(tmp_path / "notes", documents, "opendpr-minilm", vectors=False)


def test_a_document_replaced_twice_in_one_batch_is_there_once(tmp_path: Path) -> None:
    with open_writer(tmp_path / "notes", Splitter(words=2)) as writer:
        forms = [Document("a", "", text) for text in ("one two three", "four five six", "seven")]
        assert add_documents(writer, forms, None).documents == {"added": 1, "replaced": 2}
        assert writer.document("a").text == "seven"
        assert writer.counts() == {"documents": 1, "passages": 1, "vectors": 0, "to_encode": 1}
