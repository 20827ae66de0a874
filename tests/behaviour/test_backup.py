"""A backup is a whole state of a collection in use."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest
from conftest import contents, write_documents

from damaged_notes import documents, everything, fill, make_notes, problems
from opendpr.collection import open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.database import DATABASE
from opendpr.search.bm25 import BM25_DIRECTORY, update_bm25
from opendpr.text.splitting import Splitter


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return make_notes(tmp_path_factory.mktemp("made") / "notes")


@pytest.fixture
def notes(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "notes")
    return tmp_path / "notes"


# Backup


def test_a_backup_while_a_writer_works_is_a_whole_state(run, notes, tmp_path):
    stop, versions = threading.Event(), {}

    def write() -> None:
        with open_writer(notes) as writer:
            for number in range(300, 400):
                fill(writer, documents(number, 1))
                if stop.is_set():
                    break

    with open_collection(notes) as collection:
        thread = threading.Thread(target=write)
        thread.start()
        for number in range(5):
            destination = tmp_path / f"backup {number}"
            versions[destination] = write_backup(collection, destination)
        stop.set()
        thread.join()
    for destination, version in versions.items():
        assert [path.name for path in destination.iterdir()] == [DATABASE]
        assert problems(destination) == []
        with open_collection(destination) as copy:
            assert copy.version().version == version
            assert copy.select("PRAGMA checksum_verification") == [("1",)]
            assert copy.select("PRAGMA auto_vacuum") == [(2,)]
            [summaries] = [list(copy.summaries())]
            assert len(summaries) >= 100
        content = bytearray((destination / DATABASE).read_bytes())
        assert content[20] == 8
    content[len(content) // 2] ^= 1
    (destination / DATABASE).write_bytes(content)
    result = run("verify", destination)
    assert (result.returncode, "Traceback" in result.stderr) == (5, False)


def test_backups_while_documents_are_added_are_restored_elsewhere_and_go_on(run, start, tmp_path, tiny_model):
    docs = write_documents(tmp_path / "docs", documents=100)
    command = ("add", tmp_path / "live", docs, "--model", tiny_model, "--words", "20")
    adding, backups, versions = start(*command), [], []
    while adding.poll() is None:
        if (tmp_path / "live" / DATABASE).exists():
            with open_collection(tmp_path / "live") as collection:
                backups.append(tmp_path / f"backup {len(backups)}")
                versions.append(write_backup(collection, backups[-1]))
        time.sleep(0.02)
    assert adding.returncode == 0, adding.stderr.read()
    assert versions == sorted(versions)
    assert len(set(versions)) > 2, "no backup was made in the middle"
    expected = contents(tmp_path / "live")
    for backup, version in zip(backups, versions, strict=True):
        assert problems(backup) == []
        with open_collection(backup) as copy:
            assert copy.version().version == version
            for summary in copy.summaries():
                assert copy.document(summary.id).text == (docs / summary.id).read_text(encoding="utf-8")
        held = contents(backup)
        assert {key: row[:2] for key, row in held.items()}.items() <= {
            k: row[:2] for k, row in expected.items()
        }.items()
    elsewhere = tmp_path / "another place" / "restored"
    elsewhere.parent.mkdir()
    middle = next(backup for backup, version in zip(backups, versions, strict=True) if version >= versions[-1] // 2)
    shutil.copytree(middle, elsewhere)
    result = run("add", elsewhere, *command[2:])
    assert result.returncode == 0, result.stderr
    assert contents(elsewhere).keys() == expected.keys()
    assert all(vector for _, _, vector in contents(elsewhere).values())
    assert problems(elsewhere) == []


def test_a_backup_needs_no_cache_and_is_a_collection_to_go_on_with(run, notes, tmp_path):
    expected = everything(notes)
    shutil.rmtree(notes / BM25_DIRECTORY)
    result = run("backup", notes, tmp_path / "copy")
    assert result.returncode == 0, result.stderr
    assert everything(tmp_path / "copy")[:3] == expected[:3]
    with open_writer(tmp_path / "copy") as writer:
        fill(writer, documents(700, 5))
        update_bm25(writer)
    assert problems(tmp_path / "copy") == []


def test_a_backup_larger_than_the_cache_has_the_checksum_of_every_page(tmp_path):
    with open_writer(tmp_path / "notes", Splitter(words=20)) as writer:
        fill(writer, documents(0, 1_000))
        writer.remove_documents([f"d{number:04}" for number in range(100, 500)])
        write_backup(writer, tmp_path / "copy", cache_kibibytes=64)
    assert problems(tmp_path / "copy") == []
    sizes = [(tmp_path / name / DATABASE).stat().st_size for name in ("notes", "copy")]
    assert 64 * 1_024 < sizes[1] < sizes[0], "what was removed takes no room"


def test_a_backup_of_a_damaged_collection_names_the_collection(run, notes, tmp_path):
    content = bytearray((notes / DATABASE).read_bytes())
    content[len(content) // 2] ^= 1
    (notes / DATABASE).write_bytes(content)
    result = run("backup", notes, tmp_path / "copy")
    assert result.returncode == 5
    assert f"{notes / DATABASE} is damaged (a page does not match its checksum)" in result.stderr
    assert not (tmp_path / "copy").exists()


def test_a_backup_is_not_written_over_anything(run, notes, tmp_path):
    (tmp_path / "there").mkdir()
    result = run("backup", notes, tmp_path / "there")
    assert (result.returncode, "exists" in result.stderr) == (4, True)
    assert not list((tmp_path / "there").iterdir())


def test_what_an_interrupted_backup_left_does_not_get_into_the_next(notes, tmp_path):
    left = tmp_path / "copy.writing"
    left.mkdir()
    for suffix in ("", "-wal", "-shm", "-journal"):
        (left / f"{DATABASE}{suffix}").write_bytes(b"left over" * 1_000)
    with open_collection(notes) as collection:
        write_backup(collection, tmp_path / "copy")
    assert not left.exists()
    assert [path.name for path in (tmp_path / "copy").iterdir()] == [DATABASE]
    assert everything(tmp_path / "copy")[:3] == everything(notes)[:3]
