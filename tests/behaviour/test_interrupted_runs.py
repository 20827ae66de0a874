"""Runs that go on, are compared, or are refused because they were changed or are others than they seem."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run
from safetensors.numpy import save_file

import opendpr
from opendpr.errors import InputError, StateError, UsageError
from opendpr.evaluation.header import DocumentSettings, parse_header
from opendpr.evaluation.judges import AnswerJudge
from opendpr.evaluation.run import open_run, read_question_records, read_run
from opendpr.evaluation.summary import summary
from opendpr.evaluation.task import Task, evaluate
from opendpr.model.directory import read_weights
from opendpr.model.runtime import RuntimeSettings
from opendpr.storage.atomic import write_json
from opendpr.types import Document
from rivers import FP32, add_towns, write_river_questions
from sample_run import run_header


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    return add_towns(tmp_path_factory.mktemp("towns") / "towns", tiny_model)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return write_river_questions(tmp_path / "rivers.jsonl")


def test_a_run_that_was_killed_goes_on_and_says_the_same(
    towns: Path, questions: Path, tmp_path: Path, run: Run, start: Callable
) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    arguments = ("evaluate", towns, questions, "-r", "bm25", "-r", "dense", "--reader", "--read", 3, "--json")
    reference = run(*arguments, "-o", whole)
    assert reference.returncode == 0, reference.stderr
    content = whole.read_bytes()
    lines = content.splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:5]) + lines[5][:40])
    again = run(*arguments, "-o", cut)
    assert again.returncode == 0, again.stderr
    assert cut.read_bytes() == content
    assert json.loads(again.stdout)["sets"] == json.loads(reference.stdout)["sets"]

    killed = tmp_path / "killed.jsonl"
    process = start(*arguments, "-o", killed)
    while not killed.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run(*arguments, "-o", killed).returncode == 0
    assert killed.read_bytes() == content


def test_a_header_is_read_back_as_it_was_written(towns: Path, questions: Path, tmp_path: Path) -> None:
    output = tmp_path / "run.jsonl"
    evaluate(towns, Task([questions], ("bm25",), runtime=FP32), AnswerJudge((1,), (2,)), output=output)
    line = output.read_text(encoding="utf-8").splitlines()[0]
    header = parse_header(json.loads(line))
    assert json.dumps(header.as_json()) == line
    assert (header.k, header.read, header.qrels) == ([1], [2], None)
    assert (header.model.name, header.runtime) == ("tiny", RuntimeSettings("openvino", "fp32", "cpu"))


def test_a_complete_run_is_not_computed_again(towns: Path, questions: Path, tmp_path: Path) -> None:
    output, asked = tmp_path / "run.jsonl", []

    class Counting(AnswerJudge):
        def __call__(self, answerer, questions, *, retriever):
            asked.extend(question.id for question in questions)
            return super().__call__(answerer, questions, retriever=retriever)

    for _ in range(2):
        evaluate(towns, Task([questions], ("bm25",)), Counting(), output=output)
    assert len(asked) == 8


def test_a_run_with_other_settings_is_refused(towns: Path, questions: Path, tmp_path: Path, run: Run) -> None:
    output = tmp_path / "run.jsonl"
    assert run("evaluate", towns, questions, "-r", "bm25", "-o", output).returncode == 0
    before = output.read_bytes()
    other = run("evaluate", towns, questions, "-r", "bm25", "-k", 3, "-o", output)
    assert other.returncode == 4
    assert "k is [1, 5, 20, 100], now [3]" in other.stderr
    questions.write_text('{"question": "which town?", "answers": ["Albi"]}\n')
    changed = run("evaluate", towns, questions, "-r", "bm25", "-o", output)
    assert changed.returncode == 4
    assert "sets is" in changed.stderr
    assert output.read_bytes() == before


def test_a_run_by_another_reader_or_confidence_of_the_same_encoder_is_refused(
    towns: Path, questions: Path, tmp_path: Path, tiny_model: Path
) -> None:
    """The fingerprint is the encoder's: a reader trained again has the same, and so has a model fitted again."""
    model, output = tmp_path / "model", tmp_path / "run.jsonl"
    shutil.copytree(tiny_model, model)
    task = Task([questions], ("bm25",), model=str(model), runtime=FP32)
    evaluate(towns, task, AnswerJudge((1,), (2,)), output=output)
    before = output.read_bytes()
    config = json.loads((model / "config.json").read_text())
    write_json(model / "config.json", {**config, "confidence": {"bm25": {"bias": 1.0, "threshold": 0.5}}})
    with pytest.raises(StateError, match=r'"confidence": \{\}.*, now .*"confidence": \{"bm25"'):
        evaluate(towns, task, AnswerJudge((1,), (2,)), output=output)
    write_json(model / "config.json", config)
    weights = read_weights(model / "reader" / "model.safetensors")
    save_file({name: value * 2 for name, value in weights.items()}, model / "reader" / "model.safetensors")
    with pytest.raises(StateError, match="reader is"):
        evaluate(towns, task, AnswerJudge((1,), (2,)), output=output)
    assert output.read_bytes() == before


def test_a_file_that_is_no_run_is_not_touched(towns: Path, questions: Path, run: Run) -> None:
    before = questions.read_bytes()
    done = run("evaluate", towns, questions, "-r", "bm25", "-o", questions)
    assert done.returncode == 3
    assert "is not a run" in done.stderr
    assert questions.read_bytes() == before


@pytest.mark.parametrize("content", [b'[{"id": "mine"}]', b'{"id": "mine"}\n{"id": "cut', b"mine"])
def test_a_file_that_is_no_run_is_not_cut(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a run"), open_run(path, run_header()):
        pass
    assert path.read_bytes() == content


def test_a_run_whose_first_line_was_cut_off_begins_again(tmp_path: Path) -> None:
    path, header = tmp_path / "run.jsonl", run_header()
    with open_run(path, header):
        pass
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with open_run(path, header):
            pass
        assert path.read_bytes() == content


def test_a_run_is_not_written_under_the_name_of_a_compressed_file(towns: Path, questions: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"leave out \.gz"):
        evaluate(towns, Task([questions], ("bm25",)), AnswerJudge(), output=tmp_path / "run.jsonl.gz")
    assert not (tmp_path / "run.jsonl.gz").exists()


def test_a_collection_that_changes_meanwhile_stops_the_run(questions: Path, tmp_path: Path, tiny_model: Path) -> None:
    directory = tmp_path / "towns"
    opendpr.add(directory, [Document("a", "A", "Albi is a town.")], str(tiny_model))

    class Meddling(AnswerJudge):
        def __call__(self, answerer, questions, *, retriever):
            opendpr.add(directory, [Document("b", "B", "Caen is a town.")], str(tiny_model))
            return super().__call__(answerer, questions, retriever=retriever)

    with pytest.raises(StateError, match="was changed while"):
        evaluate(directory, Task([questions], ("bm25",)), Meddling(), output=tmp_path / "run.jsonl")


def test_runs_are_compared(towns: Path, questions: Path, tmp_path: Path, run: Run) -> None:
    a, b, c = (tmp_path / f"{name}.jsonl" for name in "abc")
    evaluate(towns, Task([questions], ("bm25",)), AnswerJudge(), output=a)
    evaluate(towns, Task([questions], ("dense",), runtime=FP32), AnswerJudge(), output=b)
    done = run("evaluate", "--compare", a, b, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    differences = found["sets"]["rivers"]["differences"]
    pairs = {(pair["a"], pair["b"]) for pair in differences}
    assert pairs == {("a:bm25", "b:dense")}
    together = tmp_path / "together.jsonl"
    evaluate(towns, Task([questions], ("bm25", "dense"), runtime=FP32), AnswerJudge(), output=together)
    expected = summary([read_run(together)]).sets["rivers"].differences
    assert [pair["mean"] for pair in differences] == [pair.value.mean for pair in expected]
    evaluate(towns, Task([questions], ("bm25",), limit=3), AnswerJudge(), output=c)
    with pytest.raises(StateError, match="not over the same questions"):
        summary([read_run(a), read_run(c)])
    c.write_bytes(b"".join(c.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(StateError, match="2 of 3 records"):
        read_run(c)


def test_runs_by_other_judgements_or_of_one_name_are_not_compared(tmp_path: Path) -> None:
    runs = []
    for folder, name, qrels in (("x", "a", "one"), ("x", "b", "two"), ("y", "b", "two")):
        (tmp_path / folder).mkdir(exist_ok=True)
        path = tmp_path / folder / f"{name}.jsonl"
        judging = DocumentSettings(qrels, ["AP"], 1_000)
        with open_run(path, run_header(sets={}, judging=judging)):
            pass
        runs.append(read_run(path))
    with pytest.raises(StateError, match="the same --qrels"):
        summary(runs[:2])
    with pytest.raises(UsageError, match="called 'b'"):
        summary(runs)


HEADER = run_header().as_json()


RECORD = {"type": "question", "set": "s", "question": "1", "system": "bm25", "measures": {"answer@1": 1.0}}


@pytest.mark.parametrize(
    ("header", "record", "message"),
    [
        ({"sets": []}, {}, ":1: expected a record"),
        ({"sets": {"s": 1}}, {}, ":1: expected a record"),
        ({"collection": None}, {}, ":1: not a whole header"),
        ({"runtime": {"runtime": "openvino", "device": "cuda"}}, {}, ":1: not a whole header"),
        ({"systems": [1]}, {}, ":1: expected a record"),
        ({}, {"type": "run"}, ":2: expected a record"),
        ({}, {"type": "other"}, ":2: expected a record"),
        ({}, {"type": "scan", "absent": {"s": "1"}}, ":2: expected a record"),
        ({}, {"question": None}, ":2: expected a record"),
        ({}, {"measures": {"answer@1": "1"}}, ":2: expected a record"),
        ({}, {"read": {"5": {}}}, ":2: expected a record"),
        ({}, {"read": []}, ":2: expected a record"),
        ({}, {"read": {"five": {"failure": "not retrieved"}}}, ":2: expected a record"),
        ({}, {"system": "dense"}, "which its first line lacks"),
        ({}, {"set": "t"}, "which its first line lacks"),
    ],
)
def test_a_run_that_was_changed_is_refused_with_its_line(
    tmp_path: Path, header: dict, record: dict, message: str
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(f"{json.dumps(HEADER)}\n{json.dumps(RECORD)}\n")
    assert read_run(path).measured == {"s": {"bm25": {"1": {"answer@1": 1.0}}}}
    path.write_text(f"{json.dumps(HEADER | header)}\n{json.dumps(RECORD | record)}\n")
    with pytest.raises(InputError, match=re.escape(str(path))) as caught:
        read_run(path)
    assert message in str(caught.value)


def test_a_record_that_lacks_what_a_report_shows_is_refused_with_its_question(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(f"{json.dumps(HEADER)}\n{json.dumps(RECORD)}\n")
    with pytest.raises(InputError, match="question '1' by 'bm25': not a whole record"):
        list(read_question_records(path))
