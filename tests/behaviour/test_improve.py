"""`opendpr questions` and `opendpr improve`, and the same in Python: from judged answers to another model."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from conftest import Run

import opendpr
from opendpr.collection import open_collection, open_writer
from opendpr.improving.settings import ImproveSettings
from opendpr.model.directory import find_model
from opendpr.training.settings import EncoderSettings, ReaderSettings
from opendpr.types import Document
from ships import SHIPS, answer_all_rightly, make_harbour, write_judged

HOSTILE = "<script>alert(1)</script>\t\x1b[31m"


@pytest.fixture
def harbour(tmp_path: Path, tiny_model: Path) -> Path:
    """A register of ships, encoded by a model that knows nothing."""
    return make_harbour(tmp_path / "harbour", tiny_model)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A question about each ship, and one that the register does not answer."""
    return write_judged(tmp_path / "judged.jsonl")


def model_of(collection: Path) -> str:
    with open_collection(collection) as opened:
        return opened.require_encoder().model


def test_judged_questions_are_added_listed_exported_and_removed(run: Run, harbour: Path, tmp_path: Path) -> None:
    assert "no answer was judged yet" in run("questions", harbour).stderr
    with opendpr.open(harbour) as opened:
        answer = opened.ask("How long is the ship number 3?", thorough=True).phrases[0]
        right = opened.judge("How long is the ship number 3?", "right", answer)
        opened.judge("How long is the ship number 4?", "wrong", answer)
        better = opened.judge("How long is the ship number 4?", "better", ("sheet-4", 21, 25), shown=answer)
        opened.judge(HOSTILE, "right")
        assert [judgement.verdict for judgement in opened.judgements()] == ["right", "wrong", "better", "right"]
    assert (better.text, better.shown.text, better.shown.confidence) == ("1028", answer.text, answer.confidence)
    assert right.shown.fingerprint == find_model(model_of(harbour)).fingerprint

    listed = run("questions", harbour)
    assert [line.split("\t")[1] for line in listed.stdout.splitlines()] == ["right", "wrong", "better", "right"]
    assert "\x1b" not in listed.stdout
    assert "3 judged questions, 4 judgements; 3 of the questions can be learned from" in listed.stderr
    records = [json.loads(line) for line in run("questions", harbour, "--json").stdout.splitlines()]
    assert records[2] == {
        "id": better.id,
        "made": better.made,
        "question": better.question,
        "verdict": "better",
        "text": "1028",
        "document_id": "sheet-4",
        "start": 21,
        "end": 25,
        "who": "",
        "state": "current",
        "shown": records[2]["shown"],
    }
    exported = tmp_path / "exported.jsonl"
    assert "3 questions" in run("questions", harbour, "--export", exported).stderr
    assert json.loads(exported.read_text().splitlines()[1])["answers"] == ["1028"]
    assert run("evaluate", harbour, exported, "-r", "bm25", "-k", 5).returncode == 0

    opendpr.add(harbour, [Document("sheet-4", "Ship 4", "Sunk.")])
    assert "document changed" in run("questions", harbour).stdout
    assert run("questions", harbour, "--remove", right.id, "--remove", better.id).returncode == 0
    assert run("questions", harbour, "--remove", right.id).returncode == 3
    assert run("questions", harbour, "--remove", "x", "--export", exported).returncode == 2
    assert run("verify", harbour).returncode == 0


def test_too_few_judged_questions_are_refused_before_anything_is_read(
    run: Run, harbour: Path, judged: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(judged.read_text().splitlines(keepends=True)[:29]))
    run("questions", harbour, "--add", few)
    refused = run("improve", harbour, "-o", tmp_path / "better")
    assert refused.returncode == 3
    assert "has 29 judged questions, at least 30 are needed" in refused.stderr
    assert not (tmp_path / "better").exists()
    assert run("improve", tmp_path).returncode == 2, "a folder of documents"


def test_a_round_says_whether_to_switch_goes_on_and_switches(
    run: Run, harbour: Path, judged: Path, tmp_path: Path
) -> None:
    run("questions", harbour, "--add", judged)
    made = run("improve", harbour, "--apply", "--json")
    assert made.returncode == 0, made.stderr
    record = json.loads(made.stdout)
    model = tmp_path / "harbour-improved"
    before = model_of(harbour)
    assert record["model"] == str(model)
    assert record["questions"]["learned"] + record["questions"]["apart"] == SHIPS + 1
    assert record["changes"]["confidence"].startswith("kept: ")
    assert record["changes"]["encoder"].endswith("100 examples are needed")
    assert "is not shown to be better than" in record["verdict"]
    assert (record["switch"], record["applied"], before) == (False, False, record["before"])

    answer_all_rightly(model)
    offered = run("improve", harbour)
    assert "switch: after:hybrid is better than before:hybrid, EM@20 +" in offered.stdout
    assert f"to switch: opendpr improve {harbour} -o {model} --apply" in offered.stderr
    assert model_of(harbour) == before
    with open_writer(harbour):
        busy = run("improve", harbour, "--apply")
        listed = run("improve", harbour, "--apply", "--json")
    assert (busy.returncode, listed.returncode) == (7, 7)
    assert busy.stdout == offered.stdout
    assert json.loads(listed.stdout)["applied"] is False
    applied = run("improve", harbour, "--apply")
    assert f"to go back: opendpr encode {harbour} --model {before} --keep-old" in applied.stderr
    assert model_of(harbour) == str(model)
    assert run("ask", harbour, "How long is the ship number 5?").returncode == 0
    back = run("encode", harbour, "--model", before, "--keep-old")
    assert "0 passages encoded" in back.stderr
    assert model_of(harbour) == before


def test_another_state_needs_another_directory(run: Run, harbour: Path, judged: Path, tmp_path: Path) -> None:
    run("questions", harbour, "--add", judged)
    for place in (judged, harbour, tmp_path):
        before = sorted(place.rglob("*"))
        refused = run("improve", harbour, "-o", place)
        assert (refused.returncode, sorted(place.rglob("*"))) == (4, before), refused.stderr
        assert "expected a directory that is new or empty" in refused.stderr
    first = tmp_path / "harbour-improved"
    assert f"wrote {first}" in run("improve", harbour).stderr
    with opendpr.open(harbour) as opened:
        opened.judge("How long is the ship number 5?", "right")
    other = run("improve", harbour, "-o", first)
    assert other.returncode == 4
    assert "begun with another state of: questions" in other.stderr
    assert f"wrote {first}-2" in run("improve", harbour).stderr


@pytest.mark.usefixtures("one_thread")
def test_networks_are_trained_where_there_are_enough_questions(
    harbour: Path, judged: Path, run: Run, tmp_path: Path, tiny_model: Path
) -> None:
    run("questions", harbour, "--add", judged)
    before = model_of(harbour)
    settings = ImproveSettings(
        encoder_examples=5,
        reader_examples=5,
        encoder=EncoderSettings(batch_size=8, epochs=1, device="cpu", precision="fp32"),
        reader=ReaderSettings(batch_size=8, epochs=1, device="cpu", precision="fp32"),
    )
    stages: list[str] = []
    made = opendpr.improve(
        harbour,
        output=tmp_path / "trained",
        settings=settings,
        on_progress=lambda what, done, total: stages.append(what),
    )
    assert made.changes["encoder"].startswith("trained on ")
    assert made.changes["reader"].startswith("trained on ")
    assert list(dict.fromkeys(stages)) == [
        *("judging before", "mining", "training the encoder", "training the reader", "encoding", "searching"),
        "judging after",
    ]
    assert find_model(str(made.model)).fingerprint != find_model(str(tiny_model)).fingerprint
    assert model_of(harbour) == before
    assert not (made.model / "improve" / "collection").exists()
    again = opendpr.improve(harbour, output=tmp_path / "trained", settings=settings)
    assert again.decision.sentence == made.decision.sentence


def test_the_page_on_improving_says_what_the_commands_do(
    harbour: Path, judged: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "improving.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```(\w+)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    [lines] = [block for kind, block in shown if kind == "json"]
    assert all(line in judged.read_text().splitlines() for line in lines.splitlines())
    harbour.rename(tmp_path / "notes")
    for line in "".join(block for kind, block in shown if kind == "console").splitlines():
        done = run(*shlex.split(line)[2:], cwd=tmp_path)
        assert done.returncode == 0, (line, done.stderr)
    assert (tmp_path / "notes-improved" / "improve" / "after.jsonl").exists()
    monkeypatch.chdir(tmp_path)
    letter = "On 3 May 1911 Ada Lovett wrote the letter to her brother, who was then living in Lisbon."
    opendpr.add("notes", [Document("letter.txt", "Letter", letter)])
    [block] = [block for kind, block in shown if kind == "python"]
    exec(block.replace(".best\n", ".answers[0]\n"), {})  # the model of the tests is never sure
    with opendpr.open("notes") as notes:
        assert notes.judgements()[-1].text == "Lisbon"
