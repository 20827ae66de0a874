"""Which directory a round is written into, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opendpr.errors import CorruptionError, StateError
from opendpr.improving.directory import STATE_FILE, begin_round, free_directory, round_state
from opendpr.improving.parts import Parts
from opendpr.model.directory import Model
from opendpr.types import Question

PARTS = Parts([Question("1", "Who?", ("Marta",))], [Question("2", "When?", ("1874",))])


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def state(tiny_model: Path) -> dict[str, Any]:
    return round_state(["id", 1], Model(tiny_model), PARTS)


def test_a_round_is_never_inside_its_collection(
    notes: Path, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes.mkdir()
    monkeypatch.chdir(notes)
    assert free_directory(Path("."), state) == notes.resolve().with_name("notes-improved")


def test_a_round_of_the_same_state_goes_on_and_another_gets_the_next_directory(
    notes: Path, state: dict[str, Any], tiny_model: Path
) -> None:
    first, second = notes.with_name("notes-improved"), notes.with_name("notes-improved-2")
    assert free_directory(notes, state) == first
    begin_round(first, state, PARTS)
    assert free_directory(notes, state) == first
    begin_round(first, state, PARTS)
    more = Parts([*PARTS.learned, Question("3", "Where?", ("Orvik",))], PARTS.apart)
    others = {
        "questions": round_state(["id", 1], Model(tiny_model), more),
        "collection": round_state(["id", 2], Model(tiny_model), PARTS),
        "model": {**state, "model": ["another", "one"]},
    }
    for name, other in others.items():
        assert free_directory(notes, other) == second
        with pytest.raises(StateError, match=f"begun with another state of: {name};"):
            begin_round(first, other, PARTS)
    assert json.loads((first / "improve" / STATE_FILE).read_text()) == state


def test_a_beginning_that_was_cut_is_begun_again(notes: Path, state: dict[str, Any]) -> None:
    work = notes / "improve"
    work.mkdir(parents=True)
    (work / f"{STATE_FILE}.77.tmp").write_text("{")
    begin_round(notes, state, PARTS)
    assert "Who?" in (work / "learned.jsonl").read_text()


def test_a_state_that_is_not_readable_is_an_error_that_says_what_to_do(notes: Path, state: dict[str, Any]) -> None:
    output = notes.with_name("notes-improved")
    begin_round(output, state, PARTS)
    for content in (b'{"collection": [', b"[1]", b"\xff", b"7"):
        (output / "improve" / STATE_FILE).write_bytes(content)
        with pytest.raises(CorruptionError, match=r"remove .*notes-improved to begin again"):
            begin_round(output, state, PARTS)
        with pytest.raises(CorruptionError, match="is not the readable JSON"):
            free_directory(notes, state)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("collection.db", "is a collection"),
        ("config.json", "holds a model already"),
        ("letters/a.txt", "is not empty"),
        ("locks.txt", "is not empty"),
        ("", "is a file"),
    ],
)
def test_what_holds_something_else_is_refused_before_anything_is_made(
    notes: Path, state: dict[str, Any], name: str, what: str
) -> None:
    path = notes / name if name else notes
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    before = sorted(notes.parent.rglob("*"))
    with pytest.raises(StateError, match=f"notes {what}, expected a directory that is new or empty"):
        begin_round(notes, state, PARTS)
    assert sorted(notes.parent.rglob("*")) == before
    assert path.read_text() == "mine"
