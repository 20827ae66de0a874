from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from opendpr.collection import Collection, open_collection, open_writer
from opendpr.errors import BusyError
from opendpr.maintenance.add import add_documents
from opendpr.maintenance.background import encoding_in_background
from opendpr.maintenance.encode import EncodePassages
from opendpr.maintenance.on_demand import EncodeBesideReader, EncodeNeeded
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import make_retriever
from opendpr.types import Document

COUNT = 300
QUESTION = "lo7 ri7"
PATIENCE_SECONDS = 600


def document(number: int, words: str = "") -> Document:
    return Document(f"d{number}", "", words or f"lo{number % 10} ri{number % 100} sum{number}")


@pytest.fixture(scope="module")
def encoder(tiny_model: Path) -> BertEncoder:
    return BertEncoder(find_model(str(tiny_model)), RuntimeSettings(precision="fp32"))


def add(
    directory: Path, documents: Sequence[Document], encoder: BertEncoder, needed: EncodePassages = EncodeNeeded([])
) -> int:
    with open_writer(directory) as writer:
        return add_documents(writer, documents, encoder, encode=needed).encoded


def encoded(collection: Collection) -> list[str]:
    numbers = [number for part, _ in collection.vectors() for number in part.tolist()]
    return [passage.document_id for passage in collection.passages(numbers).values()]


def test_the_passages_that_bm25_finds_for_a_question_are_encoded_and_no_others(
    tmp_path: Path, encoder: BertEncoder
) -> None:
    needed = EncodeNeeded([QUESTION], candidates=5, at_once=10)
    assert add(tmp_path / "notes", [document(n) for n in range(COUNT)], encoder, needed) == 5
    with open_collection(tmp_path / "notes") as collection:
        best = make_retriever("bm25", LiveSnapshot(collection)).retrieve([QUESTION], 5)
        assert sorted(encoded(collection)) == sorted(hit.passage.document_id for hit in best[0])


def test_a_reader_is_loaded_while_passages_are_encoded(
    tmp_path: Path, tiny_model: Path, encoder: BertEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[BertReader] = []
    reader = BertReader(find_model(str(tiny_model)), RuntimeSettings(precision="fp32"))
    monkeypatch.setattr(BertReader, "loading", property(began.append))
    beside = EncodeBesideReader(reader, EncodeNeeded([]))
    assert add(tmp_path / "notes", [], encoder, beside) == 0
    assert began == []  # there is nothing to read
    assert add(tmp_path / "notes", [document(1)], encoder, beside) == 1
    assert began == [reader]


def test_a_hybrid_search_ranks_the_encoded_candidates_with_the_scores_of_a_complete_collection(
    tmp_path: Path, encoder: BertEncoder
) -> None:
    documents = [document(n) for n in range(COUNT)]
    add(tmp_path / "notes", documents, encoder, EncodeNeeded([QUESTION], candidates=20, at_once=10))
    add(tmp_path / "complete", documents, encoder, EncodeNeeded([], at_once=COUNT))
    scores = []
    for name, k in (("notes", 20), ("complete", COUNT)):
        with open_collection(tmp_path / name) as collection:
            (hits,) = make_retriever("hybrid", LiveSnapshot(collection), encoder).retrieve([QUESTION], k)
            scores.append({hit.passage.document_id: hit.score for hit in hits})
    first, complete = scores
    assert len(first) == 20
    assert list(first.values()) == sorted(first.values(), reverse=True)
    assert first == pytest.approx({id: complete[id] for id in first}, rel=1e-3)


def test_a_question_asked_again_encodes_nothing(tmp_path: Path, encoder: BertEncoder) -> None:
    needed = EncodeNeeded([QUESTION], candidates=5, at_once=10)
    add(tmp_path / "notes", [document(n) for n in range(COUNT)], encoder, needed)
    assert add(tmp_path / "notes", [], encoder, needed) == 0


def test_where_few_passages_lack_a_vector_all_get_one(tmp_path: Path, encoder: BertEncoder) -> None:
    needed = EncodeNeeded([QUESTION], candidates=5, at_once=COUNT)
    assert add(tmp_path / "notes", [document(n) for n in range(COUNT)], encoder, needed) == COUNT


def test_a_changed_document_is_served_at_once_whatever_is_asked(tmp_path: Path, encoder: BertEncoder) -> None:
    needed = EncodeNeeded([QUESTION], candidates=5, at_once=10)
    add(tmp_path / "notes", [document(n) for n in range(COUNT)], encoder, needed)
    add(tmp_path / "notes", [document(1, "entirely other words")], encoder, needed)
    with open_collection(tmp_path / "notes") as collection:
        assert collection.document("d1").text == "entirely other words"
        assert "d1" in encoded(collection)


def test_candidates_are_of_documents_that_meet_the_filter(tmp_path: Path, encoder: BertEncoder) -> None:
    documents = [Document(f"d{n}", "", QUESTION, {"year": 1900 + n}) for n in range(COUNT)]
    needed = EncodeNeeded([QUESTION], "year >= 2190", candidates=20, at_once=10)
    add(tmp_path / "notes", documents, encoder, needed)
    with open_collection(tmp_path / "notes") as collection:
        assert sorted(encoded(collection)) == sorted(f"d{n}" for n in range(290, COUNT))


def test_the_background_encodes_everything_and_makes_way_for_a_question(tmp_path: Path, encoder: BertEncoder) -> None:
    add(tmp_path / "notes", [document(n) for n in range(COUNT)], encoder, EncodeNeeded([], at_once=10))
    with encoding_in_background(tmp_path / "notes", encoder) as background:
        with background.making_way(QUESTION), open_collection(tmp_path / "notes") as collection:
            before = encoded(collection)
            best = make_retriever("bm25", LiveSnapshot(collection)).retrieve([QUESTION], 20)
            assert {hit.passage.document_id for hit in best[0]} <= set(before)
            assert encoded(collection) == before
        background.join(PATIENCE_SECONDS)
    with open_collection(tmp_path / "notes") as collection:
        assert len(encoded(collection)) == COUNT
        assert np.array_equal(np.sort(np.concatenate([n for n, _ in collection.vectors()])), np.arange(1, COUNT + 1))


def test_only_one_process_encodes_in_the_background(tmp_path: Path, encoder: BertEncoder) -> None:
    add(tmp_path / "notes", [document(n) for n in range(COUNT)], encoder, EncodeNeeded([], at_once=10))
    with (
        open_writer(tmp_path / "notes"),
        pytest.raises(BusyError),
        encoding_in_background(tmp_path / "notes", encoder),
    ):
        pass
