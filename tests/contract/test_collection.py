"""What a collection promises as documents are added, replaced, relabelled and removed."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from opendpr.collection import open_collection, open_writer
from opendpr.collection.database import DATABASE
from opendpr.errors import InputError, StateError, UsageError
from opendpr.search.bm25 import BM25_DIRECTORY, update_bm25
from opendpr.text.splitting import Splitter
from opendpr.types import Document
from two_documents import CHANGED, DIM, LETTER, OTHER, WORDS, encode, make_two, pieces, served, words_found


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return make_two(tmp_path / "notes")


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


def test_an_interrupt_within_a_read_stays_an_interrupt(directory):
    with pytest.raises(KeyboardInterrupt), open_writer(directory) as writer:
        assert writer.put_documents([CHANGED]) == ["replaced"]
        reading = writer._connection.execute("SELECT number FROM passages")
        next(reading)
        raise KeyboardInterrupt
    with open_collection(directory) as collection:
        assert collection.document("letter") == LETTER


def test_what_is_stored_within_a_read_is_kept(directory):
    with open_writer(directory) as writer:
        reading = writer._connection.execute("SELECT number FROM passages")
        next(reading)
        assert writer.put_documents([OTHER, replace(OTHER, id="another")])[-1] == "added"
    with open_collection(directory) as collection:
        assert collection.document("another").text == OTHER.text
