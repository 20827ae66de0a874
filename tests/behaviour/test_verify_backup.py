"""Damage is found and named, and a backup is a whole state of a collection in use."""

from __future__ import annotations

import random
import shutil
import threading
import time
from pathlib import Path

import apsw
import numpy as np
import pytest
from conftest import contents, write_documents

from opendpr.collection import open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.database import DATABASE
from opendpr.collection.verify import verify_store
from opendpr.errors import CorruptionError, OpendprError, StateError
from opendpr.search.bm25 import BM25_DIRECTORY, update_bm25, verify_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text.splitting import Splitter
from opendpr.types import Document

DIM = 8
QUESTIONS = ["lo1 ri2", "con9", "lo3"]
FLIPS = [pytest.param(60, id="60 flips"), pytest.param(500, id="500 flips", marks=pytest.mark.slow)]


def documents(first: int, count: int) -> list[Document]:
    generator = random.Random(first)
    words = [f"{start}{end}" for start in ("lo", "ri", "con") for end in range(10)]
    return [
        Document(f"d{number:04}", f"Title {number}", " ".join(generator.choices(words, k=60)), {"n": number})
        for number in range(first, first + count)
    ]


def fill(writer, documents) -> None:
    writer.put_documents(documents)
    row = writer.use_encoder("f" * 64, DIM, model="by hand", runtime="none")
    for passages in writer.without_vector(row.encoder):
        vectors = np.random.default_rng(passages[0].number).normal(size=(len(passages), DIM))
        writer.put_vectors(row, passages, vectors.astype(np.float32))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """300 passages, with free pages and a cache of several segments."""
    place = tmp_path_factory.mktemp("made") / "notes"
    with open_writer(place, Splitter(words=20)) as writer:
        fill(writer, documents(0, 100))
        update_bm25(writer)
        writer.remove_documents([f"d{number:04}" for number in range(40, 60)])
        fill(writer, documents(200, 20))
        update_bm25(writer)
    return place


@pytest.fixture
def notes(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "notes")
    return tmp_path / "notes"


def everything(directory: Path) -> tuple[object, ...]:
    """All documents, vectors and what a search by words finds."""
    with open_collection(directory) as collection:
        documents = [collection.document(summary.id) for summary in collection.summaries()]
        vectors = [(numbers.tolist(), rows.tobytes()) for numbers, rows in collection.vectors()]
        hits = Bm25Retriever(LiveSnapshot(collection)).retrieve(QUESTIONS, 50)
        return documents, list(collection.passages_after(0)), vectors, hits


def problems(directory: Path) -> list[str]:
    """What `opendpr verify` does, without a process."""
    try:
        with open_collection(directory) as collection:
            return verify_store(collection) or verify_bm25(collection)
    except CorruptionError as error:
        return [str(error)]


def store_and_cache(directory: Path) -> list[Path]:
    cache = [path for path in sorted((directory / BM25_DIRECTORY).iterdir()) if path.suffix != ".lock"]
    return [directory / DATABASE, *(path for path in cache if path.stat().st_size)]


@pytest.mark.parametrize("flips", FLIPS)
def test_a_flipped_bit_is_found_and_the_file_named_or_nothing_is_different(made, tmp_path, flips):
    expected, generator, unused = everything(made), random.Random(7), 0
    files = [path.relative_to(made) for path in store_and_cache(made)]
    for number in range(flips):
        copy = tmp_path / "copy"
        shutil.copytree(made, copy)
        path = copy / (files[0] if number % 2 else generator.choice(files[1:]))
        content = bytearray(path.read_bytes())
        place = generator.randrange(len(content))
        content[place] ^= 1 << generator.randrange(8)
        path.write_bytes(content)
        if damage := problems(copy):
            assert any(str(path) in problem for problem in damage), (path, place, damage)
        else:
            unused += 1
            assert path.name == DATABASE, (path, place)
            assert everything(copy) == expected, (path, place)
        shutil.rmtree(copy)
    assert unused <= flips // 4


def test_the_command_says_what_is_damaged_with_exit_code_5(run, notes):
    assert run("verify", notes).returncode == 0
    for path in [notes / DATABASE, max((notes / BM25_DIRECTORY).glob("*.store"))]:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 3] + bytes([whole[len(whole) // 3] ^ 1]) + whole[len(whole) // 3 + 1 :])
        result = run("verify", notes)
        assert (result.returncode, "Traceback" in result.stderr) == (5, False)
        assert str(path) in result.stdout + result.stderr
        path.write_bytes(whole)
    assert run("verify", notes).returncode == 0


def test_files_cut_short_are_found(notes):
    for path in store_and_cache(notes):
        whole = path.read_bytes()
        for size in (0, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:size])
            assert any(str(path) in problem for problem in problems(notes)), (path, size)
        path.write_bytes(whole)
    assert problems(notes) == []


def test_a_file_that_is_gone_and_two_that_changed_places_are_found(notes):
    cache = [path for path in store_and_cache(notes)[1:] if not path.name.startswith(("seen", "."))]
    for path in cache:
        path.rename(path.with_suffix(".away"))
        assert any(str(path) in problem for problem in problems(notes)), path
        path.with_suffix(".away").rename(path)
    first, second = [path for path in cache if path.suffix == ".store"][:2]
    contents = first.read_bytes(), second.read_bytes()
    assert contents[0] != contents[1]
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    damage = " ".join(problems(notes))
    assert str(first) in damage
    assert str(second) in damage
    (notes / DATABASE).unlink()
    with pytest.raises(StateError):
        problems(notes)


def test_damage_in_the_cache_is_not_given_a_new_checksum_by_the_next_update(notes, caplog):
    path = next(path for path in store_and_cache(notes) if path.suffix == ".store")
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    with open_writer(notes) as writer:
        fill(writer, documents(900, 1))
        update_bm25(writer)
    assert "does not match its checksum: it is rebuilt" in caplog.text
    assert problems(notes) == []
    assert not path.exists()


def test_a_cache_whose_update_was_killed_is_no_damage(notes, monkeypatch):
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with open_writer(notes) as writer:
        fill(writer, documents(900, 3))
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("opendpr.search.bm25._files", killed)  # after tantivy's commit
            update_bm25(writer)
    assert problems(notes) == []
    with open_writer(notes) as writer:
        update_bm25(writer)
    assert problems(notes) == []


def test_what_a_writer_changes_while_all_is_read_is_no_damage(notes):
    waiting = [f"d{number:04}" for number in range(30)]

    def change(done: int, total: int) -> None:
        if waiting:
            id = waiting.pop()
            with open_writer(notes) as writer:
                writer.remove_documents([id])
                fill(writer, documents(500 + len(waiting), 1))
            assert not log.stat().st_size, "the writer could not empty its log, so it waited for the reader"

    log = notes / f"{DATABASE}-wal"
    with open_collection(notes) as collection:
        assert verify_store(collection, change) == []
    assert not waiting
    assert problems(notes) == []


@pytest.mark.parametrize("flips", FLIPS)
def test_flips_in_a_live_log_serve_no_wrong_passage_or_vector(made, tmp_path, flips):
    outcomes = []
    for seed in range(flips):
        generator, copy = random.Random(seed), tmp_path / str(seed)
        shutil.copytree(made, copy)
        holder = apsw.Connection(str(copy / DATABASE), vfs="cksmvfs")  # keeps the log from being emptied
        holder.execute("BEGIN; SELECT count(*) FROM passages").fetchall()
        writer_connection = open_writer(copy)
        writer = writer_connection.__enter__()
        fill(writer, documents(500, 20))
        with open_collection(copy) as collection:
            passages = {p.number: p.text for p in collection.passages_after(0)}
            vectors = {int(n): v.tobytes() for ns, vs in collection.vectors() for n, v in zip(ns, vs, strict=True)}
        log = copy / f"{DATABASE}-wal"
        with log.open("r+b") as file:
            place = generator.randrange(32, log.stat().st_size)
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 1 << generator.randrange(8)]))
        try:
            with open_collection(copy) as collection:
                now = {p.number: p.text for p in collection.passages_after(0)}
                rows = {int(n): v.tobytes() for ns, vs in collection.vectors() for n, v in zip(ns, vs, strict=True)}
            assert now.items() <= passages.items()
            assert rows.items() <= vectors.items()
            outcomes.append("right")
        except OpendprError:
            outcomes.append("refused")
        holder.close()
        writer._connection.close()  # no checkpoint: the damage is not what this test is about
        with pytest.raises(apsw.ConnectionClosedError):
            writer_connection.__exit__(None, None, None)
    assert outcomes.count("refused") > 0


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
