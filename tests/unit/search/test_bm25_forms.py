"""BM25 finds a word however Unicode writes it, and an index of the earlier form of words is not searched."""

from __future__ import annotations

import json

import pytest

from opendpr.collection import open_collection, open_writer
from opendpr.search.bm25 import BM25_DIRECTORY, open_bm25, update_bm25
from opendpr.search.seen import SEEN_FILE, read_seen, write_seen
from opendpr.text.normalising import ANALYSIS_VERSION
from opendpr.types import Document

TEXTS = {
    "nfd": "The cafe\u0301 Zu\u0308rcher Lo\u0308we in Malmo\u0308.",
    "ligature": "The certiﬁcate of ﬁtness for boats.",
    "parted": "The inspec-\ntion of the light-\nhouse. A well-\nknown man.",
}


@pytest.fixture
def directory(tmp_path):
    with open_writer(tmp_path / "c") as writer:
        writer.put_documents([Document(id, "", text) for id, text in TEXTS.items()])
        update_bm25(writer)
    return tmp_path / "c"


@pytest.mark.parametrize(
    ("question", "id"),
    [
        *(("café", "nfd"), ("Zurcher", "nfd"), ("certificate", "ligature"), ("ＦＩＴＮＥＳＳ", "ligature")),
        *(("inspection", "parted"), ("lighthouse", "parted"), ("known", "parted")),
    ],
)
def test_words_are_found_however_they_are_written(directory, question, id):
    with open_collection(directory) as collection:
        index, _ = open_bm25(collection)
        number = int(index.search(question, 1).numbers[0, 0])
        assert collection.passages([number])[number].document_id == id


@pytest.mark.parametrize("earlier", [{}, {"analysis": ANALYSIS_VERSION - 1}])
def test_an_index_of_an_earlier_form_is_reported_to_readers_and_rebuilt_by_the_next_writer(directory, caplog, earlier):
    record = read_seen(directory / BM25_DIRECTORY)
    del record["analysis"]
    write_seen(directory / BM25_DIRECTORY, {**record, **earlier})
    with open_collection(directory) as collection:
        assert open_bm25(collection)[0].search("certificate", 1).numbers[0, 0] > 0
    assert "any 'opendpr add' writes it" in caplog.text
    with open_writer(directory) as writer:
        update_bm25(writer)
    assert json.loads((directory / BM25_DIRECTORY / SEEN_FILE).read_text())["analysis"] == ANALYSIS_VERSION
