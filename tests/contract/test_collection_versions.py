"""What a collection promises to readers beside a writer, where it may lie, and what a change costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from opendpr.collection import Writer, open_collection, open_writer
from opendpr.collection.database import DATABASE, refuse_network_file_system
from opendpr.errors import StateError
from opendpr.types import Document
from two_documents import CHANGED, LETTER, WORDS, encode, make_two, pieces, served


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return make_two(tmp_path / "notes")


# Versions


def test_every_transaction_is_a_version_of_its_own(directory):
    with open_writer(directory) as writer:
        first = writer.version()
        writer.put_documents([CHANGED])
        second = writer.version()
        encode(writer)
        third = writer.version()
    assert first.version < second.version < third.version
    assert len({first.commit_id, second.commit_id, third.commit_id}) == 3
    with open_collection(directory) as collection:
        assert collection.version() == third
        assert all(collection.has_commit(version) for version in (first, second, third))
        assert not collection.has_commit(first._replace(commit_id=second.commit_id))


WRITER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_collection_versions import GENERATIONS, generation, open_writer
from two_documents import DIM, vectors_of
with open_writer(Path(sys.argv[1])) as writer:
    row = writer.use_encoder("f" * 64, DIM, model="by hand", runtime="none")
    for number in range(1, GENERATIONS + 1):
        writer.put_documents([generation(number)])
        for passages in list(writer.without_vector(row.encoder)):
            for passage in passages:
                writer.put_vectors(row, [passage], vectors_of([passage]))
"""


GENERATIONS = 60


def generation(number: int) -> Document:
    """A document of three passages that all name its generation."""
    return Document("changing", "", " ".join(f"generation {number} has part {part}" for part in range(3)))


def test_a_reader_sees_one_whole_generation_of_a_document_while_a_writer_replaces_it(tmp_path):
    with open_writer(tmp_path / "notes", WORDS) as writer:
        writer.put_documents([generation(0)])
        encode(writer)
    folders = [Path(__file__).parent, Path(__file__).parents[1] / "support"]
    arguments = [sys.executable, "-c", WRITER, *map(str, (tmp_path / "notes", *folders))]
    searches = 0
    with subprocess.Popen(arguments) as writing, open_collection(tmp_path / "notes") as collection:
        while writing.poll() is None:
            texts = served(collection, "changing")
            numbers = {int(text.split()[1]) for text in texts}
            assert len(numbers) == 1, f"at once: {sorted(texts)}"
            assert texts == pieces(generation(*numbers))
            whole = collection.document("changing")
            assert whole == generation(int(whole.text.split()[1]))
            searches += 1
        assert writing.returncode == 0
        assert served(collection, "changing") == pieces(generation(GENERATIONS))
    assert searches


# Where a collection may lie

MOUNTS = r"""sysfs /sys sysfs rw 0 0
/dev/sda1 / ext4 rw,relatime 0 0
server:/home {home} nfs4 rw 0 0
/dev/sdb1 {home}/local\040disk ext4 rw 0 0
//server/share {home}/Bücher\040und\134mehr cifs rw 0 0
"""


def test_a_network_file_system_is_refused_by_name(tmp_path):
    mounts = MOUNTS.replace("{home}", str(tmp_path))
    for place in ("notes", "deep/er/notes", r"Bücher und\mehr/notes"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "local disk").mkdir()
    with pytest.raises(
        StateError, match=r"notes lies on a network file system \(nfs4\); put the collection on a local"
    ):
        refuse_network_file_system(tmp_path / "notes", mounts)
    with pytest.raises(StateError, match="nfs4"):
        refuse_network_file_system(tmp_path / "deep" / "er" / "notes", mounts)
    with pytest.raises(StateError, match="cifs"):
        refuse_network_file_system(tmp_path / r"Bücher und\mehr" / "notes", mounts)
    refuse_network_file_system(tmp_path / "local disk" / "notes", mounts)
    refuse_network_file_system(tmp_path.parent, mounts)


def test_the_mounts_of_this_machine_can_be_read(tmp_path):
    refuse_network_file_system(tmp_path / "not" / "there" / "yet")


def test_settings_are_readable_json(directory):
    with open_collection(directory) as collection:
        assert json.loads(collection.settings["splitter"]) == WORDS.__dict__
        assert len(collection.id) == 32
    assert not os.path.exists(directory / f"{DATABASE}-wal")  # a closed collection is one file


def steps(writer: Writer, change: Callable[[], object]) -> int:
    """How many steps SQLite's machine takes for a change."""
    taken = 0

    def count(event: dict[str, Any]) -> None:
        nonlocal taken
        taken += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    writer._connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, count)
    change()
    writer._connection.trace_v2(0, None)
    return taken


def costs(directory: Path, others: int) -> dict[str, int]:
    """Steps for each change of one document, by the number of others."""
    with open_writer(directory, WORDS) as writer:
        writer.put_documents([Document(f"other {number}", "", "one two three") for number in range(others)])
        encode(writer)
        return {
            "add": steps(writer, lambda: writer.put_documents([LETTER])),
            "replace": steps(writer, lambda: writer.put_documents([CHANGED])),
            "add again": steps(writer, lambda: writer.put_documents([CHANGED])),
            "remove": steps(writer, lambda: writer.remove_documents([LETTER.id])),
        }


def test_what_one_document_costs_does_not_grow_with_the_number_of_others(tmp_path):
    few, many = costs(tmp_path / "few", 10), costs(tmp_path / "many", 1_000)
    for change, count in many.items():
        assert 0 < count < 2 * few[change], change
