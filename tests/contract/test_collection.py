"""What a collection promises to those who write it and to those who read it meanwhile."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from opendpr.collection import Collection, Writer, open_collection, open_writer
from opendpr.collection.database import DATABASE, refuse_network_file_system
from opendpr.errors import CorruptionError, InputError, OpendprError, StateError, UsageError
from opendpr.maintenance.remove import remove
from opendpr.search.bm25 import BM25_DIRECTORY, SEEN_FILE, unseen_passages, update_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever, DenseRetriever
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage, Vectors

DIM = 8
WORDS = Splitter(words=5)

LETTER = Document(
    "letter", "A letter", "one two three four five six seven eight nine ten eleven twelve", {"year": 1912}
)
CHANGED = replace(LETTER, text="thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
OTHER = Document("other", "Another", "what was not changed stays")


def vectors_of(passages: Sequence[Passage]) -> Vectors:
    """Vectors of length 1 that depend on the text alone."""
    rows = [np.random.default_rng(zlib.crc32(passage.text.encode())).normal(size=DIM) for passage in passages]
    vectors = np.array(rows, dtype=np.float32).reshape(len(passages), DIM)
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def encode(writer: Writer, most: int | None = None) -> None:
    """Give passages without a vector theirs; at most that many."""
    row = writer.use_encoder("f" * 64, DIM, model="by hand", runtime="none")
    for passages in list(writer.without_vector(row.encoder)):
        first = passages[:most]
        writer.put_vectors(row, first, vectors_of(first))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A collection of two documents, encoded, with its caches."""
    with open_writer(tmp_path / "notes", WORDS) as writer:
        assert writer.put_documents([LETTER, OTHER]) == ["added", "added"]
        encode(writer)
        update_bm25(writer)
    return tmp_path / "notes"


class EncoderByHand:
    """An `Encoder` that knows one question."""

    dim = DIM

    def encode_questions(self, questions: Sequence[str]) -> Vectors:
        return np.ones((len(questions), DIM), np.float32)

    def encode_passages(self, passages: Sequence[Passage]) -> Vectors:
        return vectors_of(passages)


def served(collection: Collection, id: str = "letter") -> set[str]:
    """The texts of a document that a dense search can find."""
    [hits] = DenseRetriever(LiveSnapshot(collection), EncoderByHand()).retrieve(["all"], 1_000)
    return {hit.passage.text for hit in hits if hit.passage.document_id == id}


def words_found(collection: Collection, question: str) -> list[tuple[str, int, float]]:
    """What a search by words finds."""
    [hits] = Bm25Retriever(LiveSnapshot(collection)).retrieve([question], 10)
    return [(hit.passage.document_id, hit.passage.start, hit.score) for hit in hits]


def pieces(document: Document) -> set[str]:
    return {document.text[start:end] for start, end in WORDS.split(document.text)}


# Adding, replacing, relabelling, removing


def test_a_document_added_again_is_unchanged_and_keeps_its_numbers(directory):
    with open_writer(directory) as writer:
        before = list(writer.passages_after(0))
        assert writer.put_documents([LETTER]) == ["unchanged"]
        assert list(writer.passages_after(0)) == before
        assert writer.counts()["to_encode"] == 0


def test_other_metadata_relabels_and_encodes_nothing(directory):
    with open_writer(directory) as writer:
        assert writer.put_documents([replace(LETTER, metadata={"year": 1913})]) == ["relabelled"]
        assert writer.counts()["to_encode"] == 0
        assert dict(writer.document("letter").metadata) == {"year": 1913}


@pytest.mark.parametrize("changed", [CHANGED, replace(LETTER, title="The letter")], ids=["text", "title"])
def test_a_changed_document_takes_the_old_ones_place_with_its_last_vector(directory, changed):
    with open_writer(directory) as writer:
        assert writer.put_documents([changed]) == ["replaced"]
        assert served(writer) == pieces(LETTER)
        encode(writer, most=1)
        assert (served(writer), writer.document("letter")) == (pieces(LETTER), LETTER)
        encode(writer)
        assert (served(writer), writer.document("letter")) == (pieces(changed), changed)
        assert len(writer.hidden()) == 0


def test_a_waiting_document_is_seen_by_nobody(directory):
    with open_writer(directory) as writer:
        writer.put_documents([CHANGED])
        encode(writer, most=1)
        update_bm25(writer)
    with open_collection(directory) as collection:
        assert len(collection.hidden()) == len(pieces(CHANGED))
        assert collection.counts()["documents"] == 2
        assert [summary.id for summary in collection.summaries()] == ["letter", "other"]
        assert [summary.characters for summary in collection.summaries()] == [len(LETTER.text), len(OTHER.text)]
        assert words_found(collection, "sixteen nineteen") == []
        assert [hit[:2] for hit in words_found(collection, "eleven")] == [("letter", LETTER.text.index("eleven"))]


def test_a_document_changed_back_before_it_was_encoded_is_the_old_one(directory):
    with open_writer(directory) as writer:
        before = list(writer.passages_after(0))
        writer.put_documents([CHANGED])
        assert writer.put_documents([LETTER]) == ["unchanged"]
        assert list(writer.passages_after(0)) == before
        assert writer.counts()["to_encode"] == 0


def test_a_document_changed_back_with_other_metadata_has_the_new_metadata(directory):
    with open_writer(directory) as writer:
        writer.put_documents([CHANGED])
        assert writer.put_documents([replace(LETTER, metadata={"year": 1913})]) == ["relabelled"]
        assert dict(writer.document("letter").metadata) == {"year": 1913}


def test_of_two_changes_before_encoding_the_last_one_counts(directory):
    last = replace(LETTER, text="the very last words")
    with open_writer(directory) as writer:
        assert writer.put_documents([CHANGED]) == ["replaced"]
        assert writer.put_documents([last]) == ["replaced"]
        assert served(writer) == pieces(LETTER)
        encode(writer)
        assert (served(writer), writer.document("letter")) == (pieces(last), last)
        assert writer.counts() == {"documents": 2, "passages": 2, "vectors": 2, "to_encode": 0}


def test_what_is_removed_is_gone_everywhere_and_its_numbers_are_not_used_again(directory):
    with open_writer(directory) as writer:
        writer.put_documents([CHANGED])
        numbers = {passage.number for passage in writer.passages_after(0)}
        before = writer.version()
        writer.remove_documents(["letter", "never there"])
        gone = {number for number in numbers if number not in writer.passages(sorted(numbers))}
        assert set(writer.deleted_since(before.version)) == gone != set()
        writer.put_documents([LETTER])
        assert numbers.isdisjoint(p.number for p in writer.passages_after(0) if p.document_id == "letter")
        with pytest.raises(InputError, match="there is no document 'nobody'"):
            writer.document("nobody")


def test_a_batch_that_fails_leaves_nothing_behind(directory):
    with open_writer(directory) as writer:
        before = writer.version()
        with pytest.raises(TypeError):
            writer.put_documents([CHANGED, Document("bad", "", "some text", {"not": object()})])
        assert writer.version() == before
        assert writer.put_documents([CHANGED]) == ["replaced"]


def test_vectors_of_another_encoder_are_refused(directory):
    with open_writer(directory) as writer, pytest.raises(StateError, match="was encoded by by hand"):
        writer.use_encoder("0" * 64, DIM, model="another", runtime="none")


def test_another_splitter_is_refused_and_none_means_the_old_one(directory):
    with pytest.raises(UsageError, match="was made with"), open_writer(directory, Splitter(words=6)):
        pass
    with open_writer(directory) as writer:
        assert writer.splitter == WORDS


def test_the_log_of_a_database_that_is_gone_does_not_get_into_a_new_one(directory, tmp_path):
    with open_writer(directory) as writer:
        writer.put_documents([Document("late", "", "in the log")])
        shutil.copytree(directory, tmp_path / "killed")
    log = tmp_path / "killed" / f"{DATABASE}-wal"
    assert log.stat().st_size
    (tmp_path / "killed" / DATABASE).rename(tmp_path / "put away")
    shutil.rmtree(tmp_path / "killed" / BM25_DIRECTORY)
    with pytest.raises(StateError, match="which is gone; put that back"), open_writer(tmp_path / "killed"):
        pass
    (tmp_path / "put away").rename(tmp_path / "killed" / DATABASE)
    with open_writer(tmp_path / "killed") as writer:
        assert writer.document("late").text == "in the log"


def test_a_directory_of_other_files_is_not_made_a_collection(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"...")
    with pytest.raises(StateError, match="not a collection"), open_writer(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


# Texts

SPLITTERS = [
    Splitter(),
    Splitter(words=1),
    Splitter(words=7, overlap=3),
    Splitter(words=7, overlap=6),
    Splitter(words=9, last="fill"),
    Splitter(words=9, overlap=4, last="fill"),
    Splitter(words=4, unit="paragraphs"),
]
PARTS = [
    "word ",
    "\n\n",
    "\r\n\r\n",
    "\t",
    " ",
    "漢字かな",
    "é",
    "e\u0301",
    "👩\u200d🚀",
    "x" * 90,
    "\u2028",
    "\0",
    "\ufeff",
    ". ",
]


@pytest.mark.parametrize("splitter", SPLITTERS, ids=str)
def test_a_documents_text_is_put_together_to_the_character(tmp_path, splitter):
    generator = random.Random(splitter.words)
    texts = ["".join(generator.choices(PARTS, k=generator.randrange(1, 120))) + "end" for _ in range(100)]
    documents = [Document(f"document {place}", "", text) for place, text in enumerate(texts)]
    with open_writer(tmp_path / "notes", splitter) as writer:
        writer.put_documents(documents)
        for document in documents:
            assert writer.document(document.id) == document
        starts = {(p.document_id, p.start): p.text for p in writer.passages_after(0)}
    for (id, start), text in starts.items():
        whole = texts[int(id.split()[1])]
        assert whole[start : start + len(text)] == text


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
sys.path.insert(0, sys.argv[1])
from test_collection import DIM, GENERATIONS, generation, open_writer, vectors_of
with open_writer(Path(sys.argv[2])) as writer:
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
    arguments = [sys.executable, "-c", WRITER, str(Path(__file__).parent), str(tmp_path / "notes")]
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
