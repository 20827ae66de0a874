"""What a collection promises where its file or its caches are damaged, missing or another's."""

from __future__ import annotations

import logging
import random
import shutil
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from opendpr.collection import open_collection, open_writer
from opendpr.collection.database import DATABASE
from opendpr.errors import CorruptionError, OpendprError, StateError
from opendpr.maintenance.remove import remove
from opendpr.search.bm25 import BM25_DIRECTORY, SEEN_FILE, unseen_passages, update_bm25
from opendpr.types import Document
from two_documents import CHANGED, LETTER, OTHER, WORDS, encode, make_two, pieces, served, words_found


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return make_two(tmp_path / "notes")


# Damage


def everything(directory: Path) -> tuple[object, ...]:
    """All that a reader can read."""
    with open_collection(directory) as collection:
        vectors = [(numbers.tolist(), rows.tobytes()) for numbers, rows in collection.vectors()]
        documents = [collection.document(summary.id) for summary in collection.summaries()]
        return list(collection.passages_after(0)), vectors, documents, collection.counts(), collection.version()


@pytest.fixture
def larger(tmp_path: Path) -> Path:
    """A collection of some 100 pages."""
    generator = random.Random(5)
    with open_writer(tmp_path / "larger") as writer:
        texts = [" ".join(str(generator.random()) for _ in range(900)) for _ in range(20)]
        writer.put_documents([Document(f"document {place}", "", text) for place, text in enumerate(texts)])
        encode(writer)
    return tmp_path / "larger"


def outcome_of_flip(directory: Path, place: int, bit: int, expected: tuple[object, ...]) -> str:
    path = directory / DATABASE
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[place] ^= 1 << bit
    path.write_bytes(damaged)
    try:
        assert everything(directory) == expected, f"wrong content was served after a flip of bit {bit} at {place}"
    except CorruptionError as error:
        assert str(path) in str(error) or "checksum" in str(error)
        return "noticed"
    except OpendprError:
        return "refused"
    finally:
        path.write_bytes(whole)
        for left in directory.glob(f"{DATABASE}-*"):
            left.unlink()
    return "equal"


def test_flipped_bits_on_disk_are_never_served(larger):
    expected, size = everything(larger), (larger / DATABASE).stat().st_size
    generator = random.Random(11)
    outcomes = [outcome_of_flip(larger, generator.randrange(size), generator.randrange(8), expected) for _ in range(60)]
    assert outcomes.count("noticed") >= 50  # the others hit pages that a reader of everything does not need
    assert "refused" not in outcomes


def test_flipped_bits_in_the_head_of_the_file_are_never_served(larger):
    expected = everything(larger)
    generator = random.Random(12)
    for place in range(100):
        outcome_of_flip(larger, place, generator.randrange(8), expected)


def test_a_flipped_byte_is_exit_code_5_and_names_the_file(larger, run):
    path = larger / DATABASE
    whole = bytearray(path.read_bytes())
    place = whole.index(b"0.", len(whole) // 2)
    whole[place] ^= 1
    path.write_bytes(whole)
    results = [run("show", larger, f"document {number}") for number in (0, 9, 10, 11, 19)]
    assert 5 in [result.returncode for result in results]
    for result in results:
        assert result.returncode in (0, 5)
        assert "Traceback" not in result.stderr
        assert result.returncode == 0 or str(path) in result.stderr


def test_a_file_cut_short_is_noticed(larger):
    path = larger / DATABASE
    whole = path.read_bytes()
    for size in (len(whole) // 2, 4096 * 3, 4096, 1000, 50):
        path.write_bytes(whole[:size])
        with pytest.raises(CorruptionError):
            everything(larger)


def raw(directory: Path) -> apsw.Connection:
    return apsw.Connection(str(directory / DATABASE), vfs="cksmvfs")


def test_a_passage_that_is_not_what_was_written_is_noticed(directory):
    connection = raw(directory)
    connection.execute("UPDATE passages SET text = replace(text, 'eleven', 'eleden')")
    connection.close()
    with open_collection(directory) as collection:
        with pytest.raises(CorruptionError, match="does not match its checksum"):
            collection.document("letter")
        assert collection.document("other") == OTHER


def test_a_vector_that_is_not_what_was_written_is_noticed(directory):
    connection = raw(directory)
    connection.execute("UPDATE vectors_1 SET vector = (SELECT vector FROM vectors_1 WHERE number = 2) WHERE number = 1")
    connection.close()
    with open_collection(directory) as collection, pytest.raises(CorruptionError, match="the vector of passage 1"):
        served(collection)


def test_another_sqlite_file_is_no_collection(tmp_path):
    (tmp_path / "other").mkdir()
    connection = apsw.Connection(str(tmp_path / "other" / DATABASE))
    connection.execute("CREATE TABLE songs(name)")
    connection.close()
    with pytest.raises(StateError, match="not a collection"):
        open_collection(tmp_path / "other")


# Caches


def cache_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "BM25" in record.getMessage()]


def test_a_deleted_cache_is_built_in_memory_and_written_by_the_next_writer(directory, caplog):
    with open_collection(directory) as collection:
        expected = words_found(collection, "two eleven stays")
    assert len(expected) == 3
    shutil.rmtree(directory / BM25_DIRECTORY)
    with open_collection(directory) as collection, caplog.at_level(logging.WARNING):
        assert words_found(collection, "two eleven stays") == expected
        assert len(cache_warnings(caplog)) == 1
    with open_writer(directory) as writer:
        update_bm25(writer)
    caplog.clear()
    with open_collection(directory) as collection:
        assert words_found(collection, "two eleven stays") == expected
    assert cache_warnings(caplog) == []


@pytest.mark.parametrize("damage", ["meta.json gone", "all but seen.json gone", "meta.json empty", "seen.json empty"])
def test_a_damaged_cache_is_no_damage(directory, caplog, damage):
    with open_collection(directory) as collection:
        expected = words_found(collection, "two eleven stays")
    cache = directory / BM25_DIRECTORY
    if damage == "meta.json gone":
        (cache / "meta.json").unlink()
    elif damage == "all but seen.json gone":
        for path in cache.iterdir():
            if path.name != SEEN_FILE:
                path.unlink()
    else:
        (cache / damage.split()[0]).write_text("")
    with open_collection(directory) as collection:
        assert words_found(collection, "two eleven stays") == expected
        assert len(cache_warnings(caplog)) == 1
    with open_writer(directory) as writer:
        update_bm25(writer)
    caplog.clear()
    with open_collection(directory) as collection:
        assert words_found(collection, "two eleven stays") == expected
    assert cache_warnings(caplog) == []


def test_the_cache_of_another_collection_is_not_used(directory, tmp_path):
    with open_writer(tmp_path / "second", WORDS) as writer:
        writer.put_documents([CHANGED])
        encode(writer)
        update_bm25(writer)
    shutil.rmtree(directory / BM25_DIRECTORY)
    shutil.copytree(tmp_path / "second" / BM25_DIRECTORY, directory / BM25_DIRECTORY)
    with open_collection(directory) as collection:
        assert words_found(collection, "sixteen") == []
        assert len(words_found(collection, "eleven")) == 1


def test_the_cache_of_another_history_is_not_used(directory, tmp_path):
    shutil.copytree(directory, tmp_path / "copy")
    for path, document in ((directory, CHANGED), (tmp_path / "copy", replace(LETTER, text="went another way"))):
        with open_writer(path) as writer:
            writer.put_documents([document])
            encode(writer)
            update_bm25(writer)
    with open_collection(directory) as ours, open_collection(tmp_path / "copy") as theirs:
        assert ours.version().version == theirs.version().version
        assert ours.has_commit(ours.version())
        assert not ours.has_commit(theirs.version())
    shutil.rmtree(directory / BM25_DIRECTORY)
    shutil.copytree(tmp_path / "copy" / BM25_DIRECTORY, directory / BM25_DIRECTORY)
    with open_collection(directory) as collection:
        assert words_found(collection, "went way") == []
        assert len(words_found(collection, "sixteen")) == 1


def test_many_documents_are_removed_all_or_none(directory):
    with open_writer(directory) as writer:
        writer.put_documents([Document(f"d{number}", "", "one more") for number in range(600)])
        version = writer.version().version
        remove(writer, [f"d{number}" for number in range(600)])
        assert writer.version().version == version + 1
        assert [summary.id for summary in writer.summaries()] == ["letter", "other"]


def test_passages_newer_than_the_cache_are_counted_and_removed_ones_not_found(directory):
    with open_writer(directory) as writer:
        writer.put_documents([CHANGED])
        encode(writer)
    with open_collection(directory) as collection:
        assert unseen_passages(collection) == len(pieces(CHANGED))
        assert words_found(collection, "eleven sixteen") == []
        assert len(words_found(collection, "stays")) == 1


def test_a_search_by_words_finds_k_although_better_passages_were_removed(tmp_path):
    documents = [Document(f"document {place}", "", "apple " * (1 + place % 3) + "pear") for place in range(30)]
    with open_writer(tmp_path / "notes") as writer:
        writer.put_documents(documents)
        encode(writer)
        update_bm25(writer)
        writer.remove_documents([document.id for document in documents[:20]])
        assert len(words_found(writer, "apple")) == 10
