"""Damage is found and named, and nothing else is taken for damage."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import apsw
import pytest

from damaged_notes import documents, everything, fill, make_notes, problems
from opendpr.collection import open_collection, open_writer
from opendpr.collection.database import DATABASE
from opendpr.collection.verify import verify_store
from opendpr.errors import OpendprError, StateError
from opendpr.search.bm25 import BM25_DIRECTORY, update_bm25

FLIPS = [pytest.param(60, id="60 flips"), pytest.param(500, id="500 flips", marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return make_notes(tmp_path_factory.mktemp("made") / "notes")


@pytest.fixture
def notes(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "notes")
    return tmp_path / "notes"


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
