"""What is missing until a round can begin, and the rounds that were begun."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from opendpr.errors import BusyError, CorruptionError
from opendpr.improving.parts import divide
from opendpr.improving.questions import JudgedQuestions
from opendpr.improving.readiness import Readiness
from opendpr.improving.rounds import rounds, working_on
from opendpr.storage.atomic import write_json
from opendpr.types import Question


def ready(usable: int, judged: int, documents: int = 40) -> Readiness:
    questions = [
        Question(str(number), f"What is {number}?", ("it",), document_ids=(f"{number % documents}",))
        for number in range(usable)
    ]
    return Readiness(judged, JudgedQuestions(questions, {}), divide(questions))


@pytest.mark.parametrize(
    ("usable", "judged", "documents", "missing"),
    [
        (0, 0, 40, "0 questions are judged, 30 are needed: 30 more"),
        (1, 1, 40, "1 question is judged, 30 are needed: 29 more"),
        (24, 35, 40, "24 of 35 judged questions can be learned from, 30 are needed: 6 more"),
        (40, 40, 1, "the judged questions are about 1 document, by which they are divided: "),
        (40, 40, 40, ""),
    ],
)
def test_what_is_missing_is_a_sentence(usable: int, judged: int, documents: int, missing: str) -> None:
    said = ready(usable, judged, documents).missing
    assert said.startswith(missing)
    assert bool(said) == bool(missing)


def begin(directory: Path, collection_id: str, questions: str = "q") -> None:
    (directory / "improve").mkdir(parents=True)
    write_json(directory / "improve" / "state.json", {"collection": [collection_id, 1, "c"], "questions": [questions]})


def test_the_rounds_of_a_collection_are_found_in_their_order(tmp_path: Path) -> None:
    collection = tmp_path / "notes"
    assert rounds(collection, "mine") == []
    begin(tmp_path / "notes-improved", "of one that was here before")
    begin(tmp_path / "notes-improved-2", "mine")
    (tmp_path / "notes-improved-3").mkdir()
    begin(tmp_path / "notes-improved-4", "mine", "other questions")
    begin(tmp_path / "notes-improved-of-somebody", "mine")
    begun = rounds(collection, "mine")
    assert [own.directory.name for own in begun] == ["notes-improved-2", "notes-improved-4"]
    assert len({own.id for own in begun}) == 2
    assert begun[0].result() is None
    begun[0].write_result({"switch": True})
    assert rounds(collection, "mine")[0].result() == {"switch": True}


def test_a_removed_round_hides_no_other_and_the_one_gone_on_with_is_the_latest(tmp_path: Path) -> None:
    for number in (2, 10):
        begin(tmp_path / f"notes-improved-{number}", "mine")
    assert [own.directory.name for own in rounds(tmp_path / "notes", "mine")] == [
        "notes-improved-2",
        "notes-improved-10",
    ]
    later = time.time() + 1
    os.utime(tmp_path / "notes-improved-2" / "improve" / "state.json", (later, later))
    assert rounds(tmp_path / "notes", "mine")[-1].directory.name == "notes-improved-2"


def test_one_process_works_on_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opendpr.improving.rounds.LOCK_SECONDS", 0.0)
    begin(tmp_path / "notes-improved", "mine")
    [own] = rounds(tmp_path / "notes", "mine")
    with working_on(own.directory):
        assert own.is_at_work()
        with pytest.raises(BusyError, match="another process works on"), working_on(own.directory):
            pass
    assert not own.is_at_work()


def test_a_result_that_is_not_readable_is_reported(tmp_path: Path) -> None:
    begin(tmp_path / "notes-improved", "mine")
    [own] = rounds(tmp_path / "notes", "mine")
    (own.directory / "improve" / "result.json").write_text("{")
    with pytest.raises(CorruptionError, match=r"result\.json is not the readable JSON"):
        own.result()
