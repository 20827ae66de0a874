"""What was acknowledged outlasts a power cut; what was not is there wholly or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from damaged_notes import documents, fill, problems
from disk_log import Disk, Event, record
from opendpr.collection import Collection, open_collection, open_writer
from opendpr.collection.database import DATABASE
from opendpr.search.bm25 import update_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text.splitting import Splitter

STATES = [pytest.param(20, id="20 states"), pytest.param(500, id="500 states", marks=pytest.mark.slow)]
DIM = 8


def digest(collection: Collection) -> str:
    """SHA-256 of every row of every table but those that SQLite keeps."""
    tables = collection.select("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    rows = [(name, collection.select(f"SELECT * FROM {name} ORDER BY 1")) for (name,) in sorted(tables)]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def work(directory: Path) -> None:
    """A collection is made and changed; after each step its version and digest are said, which is the promise."""
    with open_writer(directory, Splitter(words=20)) as writer:

        def say() -> None:
            os.write(1, f"{json.dumps([writer.version().version, digest(writer)])}\n".encode())

        def encode(encoder) -> None:
            for passages in writer.without_vector(encoder.encoder):
                rows = np.random.default_rng(passages[0].number).normal(size=(len(passages), DIM))
                writer.put_vectors(encoder, passages, rows.astype(np.float32))
                say()

        say()
        first = writer.begin_encoder("f" * 64, DIM, model="first", runtime="none")
        say()
        writer.use_encoder("f" * 64, DIM, model="first", runtime="none")
        say()
        for number in range(4):
            writer.put_documents(documents(8 * number, 12))  # some take the place of others
            say()
            encode(first)
            update_bm25(writer)
            say()
        with open_collection(directory) as reader, reader.one_state():
            reader.version()  # from now on the log cannot be emptied
            writer.remove_documents([f"d{number:04}" for number in range(5, 15)])
            say()
            writer.put_documents(documents(100, 12))
            say()
            encode(first)
        update_bm25(writer)
        say()
        second = writer.begin_encoder("e" * 64, DIM, model="second", runtime="none")
        say()
        encode(second)
        writer.switch_encoder(second, keep_old=False)
        say()
        writer.resplit(Splitter(words=15))
        say()
        encode(second)
        update_bm25(writer)
        say()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In which the recorded collection lay, and nothing else."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> list[Event]:
    """All that `work` did to the disk, and said."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    script = "import sys, pathlib, test_power_loss; test_power_loss.work(pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    log = tmp_path_factory.mktemp("log") / "strace"
    try:
        done = record(["-c", script, str(folder / "new" / "notes")], folder, log, environment)
    except OSError as error:
        pytest.skip(f"strace cannot trace here: {error}")
    return [
        event for event in done if event.call != "say" or event.data.startswith(b"[")
    ]  # not what libraries' children say


def promise(event: Event) -> tuple[int, str]:
    version, content = json.loads(event.data)
    return int(version), str(content)


def test_every_commit_is_synced_before_it_is_acknowledged(events, folder):
    synced, there, said, commits = set(), set(), 0, 0
    directory = folder / "new" / "notes"
    log = str(directory / f"{DATABASE}-wal")
    names = {log, str(directory / DATABASE), str(directory), str(directory.parent)}
    for event in events:
        if event.call == "write":
            synced.discard(event.path)
        elif event.call in ("mkdir", "make", "rename") and (new := names & {event.path, event.target} - there):
            there |= new
            synced.discard(os.path.dirname(event.path))
        elif event.call == "sync":
            synced.add(event.path)
        elif event.call == "say":
            version = promise(event)[0]
            for one in (log, directory, directory.parent, folder) if version > said else ():
                assert str(one) in synced, f"{one} was not synced before version {version} was acknowledged"
            commits += version - said
            said = version
    assert commits >= 15
    syncs = sum(event.call == "sync" and event.path == log for event in events)
    assert syncs >= commits


@pytest.mark.parametrize("states", STATES)
def test_after_a_power_cut_the_collection_is_what_was_acknowledged_or_one_step_further(
    events, folder, tmp_path, states
):
    contents = dict(promise(event) for event in events if event.call == "say")
    generator = random.Random(1)
    moments = sorted(generator.choices(range(len(events)), k=states))
    disk, said, further = Disk(folder), -1, 0
    for moment, event in enumerate(events):
        for number in range(moments.count(moment)):
            place = tmp_path / f"cut {moment} {number}"
            disk.cut_power(generator, place)
            found = reopened(place / "new" / "notes", contents)
            assert said <= found <= said + 1, f"at event {moment}, {event.call} {event.path}"
            further += found > said
            shutil.rmtree(place)
        disk.happen(event)
        if event.call == "say":
            said = promise(event)[0]
    assert 0 < further < states


def reopened(directory: Path, contents: dict[int, str]) -> int:
    """The version found, -1 if there is no collection; all of it is whole, and can be gone on with."""
    if not (directory / DATABASE).exists():
        return -1
    with open_collection(directory) as collection:
        version = collection.version().version
        assert digest(collection) == contents[version]
        there = {passage.number for passage in collection.passages_after(0)}
        [hits] = Bm25Retriever(LiveSnapshot(collection)).retrieve(["lo1 ri2 con3"], 1_000)
        assert {hit.passage.number for hit in hits} <= there
    assert problems(directory) == []
    with open_writer(directory) as writer:
        if writer.encoders() and writer.encoder() and writer.require_encoder().fingerprint == "f" * 64:
            fill(writer, documents(900, 2))
        update_bm25(writer)
    assert problems(directory) == []
    return version
