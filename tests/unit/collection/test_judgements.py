"""Judgements as they are stored: whole, beside the lock, compared with their documents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import opendpr
from opendpr.collection import open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.files import note_files, rename_document
from opendpr.collection.judgements import (
    Judgement,
    ShownAnswer,
    count_questions,
    judgements,
    open_judgements,
    put_judgements,
    remove_judgements,
)
from opendpr.collection.verify import verify_store
from opendpr.corpus.known import KnownFile
from opendpr.errors import CorruptionError, InputError, StateError
from opendpr.types import Document

TEXT = "The pier of Orvik was built by Marta Lindqvist."
SHOWN = ShownAnswer("Orvik", 0.25, "a-model", "abc")
JUDGED = Judgement("one", "2026-01-01T00:00:00+00:00", "Who built it?", "better", "Marta", "pier", 31, "3fa9", SHOWN)
UNPLACED = Judgement("two", "2026-01-02T00:00:00+00:00", "How high is it?", "right", "")


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    opendpr.add(tmp_path / "notes", [Document("pier", "Pier", TEXT), Document("tide", "", "The tide.")], vectors=False)
    return tmp_path / "notes"


def stored(collection: Path) -> list[Judgement]:
    with open_collection(collection) as opened:
        return judgements(opened)


def put(collection: Path, *new: Judgement) -> None:
    with open_judgements(collection) as writer:
        put_judgements(writer, new)


def test_what_is_stored_comes_back_in_the_order_in_which_it_was_said(collection: Path) -> None:
    assert stored(collection) == []
    put(collection, UNPLACED, JUDGED)
    assert stored(collection) == [UNPLACED, JUDGED]
    put(collection, UNPLACED)
    assert stored(collection) == [JUDGED, UNPLACED]
    with open_collection(collection) as opened:
        assert count_questions(opened) == 2


def test_the_version_stays_and_a_process_that_holds_the_lock_need_not_end_first(collection: Path) -> None:
    with open_writer(collection) as writer:
        before = writer.version()
        put(collection, JUDGED)
        assert judgements(writer) == [JUDGED]
        assert writer.version() == before
        writer.remove_documents(["tide"])
    assert stored(collection) == [JUDGED]


def test_words_are_compared_with_what_the_document_is_now(collection: Path) -> None:
    put(collection, JUDGED, UNPLACED)
    opendpr.add(collection, [Document("pier", "Pier", f"Once more. {TEXT}")], vectors=False)
    assert [judgement.state for judgement in stored(collection)] == ["changed", "current"]
    opendpr.add(collection, [Document("pier", "Pier", f"{TEXT} It is long.")], vectors=False)
    assert [judgement.state for judgement in stored(collection)] == ["current", "current"]
    with open_writer(collection) as writer:
        writer.remove_documents(["pier"])
    assert [judgement.state for judgement in stored(collection)] == ["gone", "current"]


def test_judgements_follow_a_document_to_another_id(collection: Path) -> None:
    put(collection, JUDGED)
    with open_writer(collection) as writer:
        note_files(writer, [KnownFile("/harbour/pier", "pier", 1, 1, "", "")])
        rename_document(writer, "pier", "harbour/pier")
    assert stored(collection) == [replace(JUDGED, document_id="harbour/pier")]


def test_the_newest_verdict_stays_the_newest_when_a_document_gets_another_id(collection: Path) -> None:
    newest = replace(UNPLACED, question=JUDGED.question)
    put(collection, JUDGED, newest)
    with open_writer(collection) as writer:
        note_files(writer, [KnownFile("/harbour/pier", "pier", 1, 1, "", "")])
        rename_document(writer, "pier", "harbour/pier")
        assert verify_store(writer) == []
    assert stored(collection) == [replace(JUDGED, document_id="harbour/pier"), newest]


def test_some_are_removed_or_none_if_one_is_unknown(collection: Path) -> None:
    put(collection, JUDGED, UNPLACED)
    with open_judgements(collection) as writer:
        with pytest.raises(InputError, match="no judgement 'three'"):
            remove_judgements(writer, ["one", "three"])
        remove_judgements(writer, ["one"])
    assert stored(collection) == [UNPLACED]


def test_a_backup_has_them(collection: Path, tmp_path: Path) -> None:
    put(collection, JUDGED)
    with open_collection(collection) as opened:
        write_backup(opened, tmp_path / "copy")
    assert stored(tmp_path / "copy") == [JUDGED]


@pytest.mark.parametrize("change", ["verdict = 'right'", "start = 30", "confidence = 0.5", "text = 'Marta L'"])
def test_a_changed_row_is_reported_and_never_used(collection: Path, change: str) -> None:
    put(collection, JUDGED, UNPLACED)
    with open_judgements(collection) as writer:
        writer.note(f"UPDATE judgements SET {change} WHERE id = ?", [("one",)])
        [problem] = verify_store(writer)
        assert "the row of judgement one does not match its checksum" in problem
        with pytest.raises(CorruptionError, match="judgement one"):
            judgements(writer)
        remove_judgements(writer, ["one"])
        assert judgements(writer) == [UNPLACED]


def test_what_is_no_collection_becomes_none(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="not a collection"), open_judgements(tmp_path / "none"):
        pass
    assert not (tmp_path / "none").exists()
