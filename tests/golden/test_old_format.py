"""Collections as earlier versions wrote them, kept in files: they open, say the same and find the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import apsw
import numpy as np
import pytest
from make_collection import EXPECTED, described, documents, encode, vectors

from opendpr.collection import open_collection, open_writer
from opendpr.collection.database import COLLECTION_FORMAT, DATABASE
from opendpr.collection.verify import verify_store
from opendpr.errors import StateError
from opendpr.search.bm25 import BM25_DIRECTORY, update_bm25, verify_bm25
from opendpr.types import Document

KEPT = sorted(Path(__file__).parent.glob("collection-*"))


@pytest.fixture(params=KEPT, ids=lambda path: path.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(request.param, tmp_path / "old"))


def expected(directory: Path) -> dict[str, object]:
    return json.loads((directory / EXPECTED).read_text(encoding="utf-8"))


def described_again(directory: Path) -> dict[str, object]:
    with open_collection(directory) as collection:
        assert verify_store(collection) == verify_bm25(collection) == []
        return json.loads(json.dumps(described(collection)))


def test_a_collection_of_each_format_is_kept():
    assert [path.name for path in KEPT] == [f"collection-{number}" for number in range(1, COLLECTION_FORMAT + 1)]


def test_an_old_collection_is_sound_says_the_same_and_finds_the_same(old, caplog):
    assert described_again(old) == expected(old)
    assert "any 'opendpr add' writes it" in caplog.text  # its BM25 index is of an earlier form of words


@pytest.mark.parametrize("left", ["nothing", "what cannot be read"])
def test_an_old_cache_may_go_and_is_built_again(old, left):
    if left == "nothing":
        shutil.rmtree(old / BM25_DIRECTORY)
    else:
        for path in (old / BM25_DIRECTORY).iterdir():
            path.write_bytes(b"of another time")
    with open_collection(old) as collection:
        assert json.loads(json.dumps(described(collection))) == expected(old)
    with open_writer(old) as writer:
        update_bm25(writer)
    assert described_again(old) == expected(old)


def test_an_old_collection_takes_new_documents_and_completes_waiting_ones(old):
    with open_writer(old) as writer:
        [encoder] = writer.encoders()
        assert writer.put_documents([Document("new", "", "words of today", {"year": 2030})]) == ["added"]
        for passages in writer.without_vector(encoder.encoder):
            encode(writer, passages)
        writer.remove_documents(["d12"])
        update_bm25(writer)
    now, before = described_again(old), expected(old)
    assert now["counts"]["to_encode"] == 0
    texts = {id: text for id, _, text, _ in before["documents"] if id != "d12"}
    waited = documents("waiting")[5].text
    assert {id: text for id, _, text, _ in now["documents"]} == {**texts, "d05": waited, "new": "words of today"}


def test_vectors_of_an_old_collection_are_those_put_in(old):
    with open_collection(old) as collection:
        [(numbers, rows)] = collection.vectors()
    assert rows.dtype == "<f2"
    np.testing.assert_array_equal(rows, vectors(numbers.tolist()))


def test_a_collection_of_a_newer_format_is_refused_with_exit_code_4_and_left_alone(old, run):
    connection = apsw.Connection(str(old / DATABASE), vfs="cksmvfs")
    connection.execute("UPDATE settings SET value = ? WHERE key = 'format'", (str(COLLECTION_FORMAT + 1),))
    connection.close()
    before = (old / DATABASE).read_bytes()
    with pytest.raises(
        StateError, match=f"format {COLLECTION_FORMAT + 1}, this version of opendpr reads format {COLLECTION_FORMAT}"
    ):
        open_collection(old)
    result = run("list", old)
    assert (result.returncode, "install a newer opendpr" in result.stderr) == (4, True)
    assert (old / DATABASE).read_bytes() == before
