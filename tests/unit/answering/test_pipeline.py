"""Retriever, reader and decoder, alone and composed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import opendpr
from opendpr.answering import Answerer, open_answerer
from opendpr.answering.decoder import Decoder
from opendpr.answering.pipeline import ASK_BATCH_QUESTIONS
from opendpr.choices import RETRIEVERS
from opendpr.collection import open_collection
from opendpr.errors import StateError, UsageError
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import make_retriever
from opendpr.storage.atomic import write_json
from opendpr.types import Document

FP32 = RuntimeSettings("openvino", "fp32")
QUESTION = "Which town does the river run through?"


@pytest.fixture
def answerer(rivers: Path) -> Answerer:
    return open_answerer(rivers, runtime=FP32)


def test_the_three_steps_taken_one_by_one_give_what_ask_gives(answerer: Answerer) -> None:
    hits = answerer.retrieve([QUESTION], 3)
    (spans,) = answerer.read([QUESTION], hits)
    assert answerer.ask(QUESTION, 3) == answerer.outcome(spans, QUESTION)
    assert hits == [answerer.search(QUESTION, 3)]


def test_several_questions_are_answered_in_order_as_each_is_alone(answerer: Answerer) -> None:
    questions = [f"Which town does river {number} run through?" for number in range(ASK_BATCH_QUESTIONS + 1)]
    outcomes = answerer.ask(questions, 2)
    assert len(outcomes) == len(questions)
    for number in (0, ASK_BATCH_QUESTIONS):
        alone = answerer.ask(questions[number], 2)
        assert [(answer.text, answer.spans[0].start) for answer in outcomes[number].answers] == [
            (answer.text, answer.spans[0].start) for answer in alone.answers
        ]
    assert answerer.ask([], 2) == []


def test_one_empty_question_among_several_is_refused(answerer: Answerer) -> None:
    with pytest.raises(UsageError, match="empty"):
        answerer.ask([QUESTION, " "], 2)


def test_a_model_without_a_reader_searches_and_does_not_answer(tmp_path: Path, tiny_model: Path) -> None:
    model = tmp_path / "searcher"
    shutil.copytree(tiny_model, model)
    config = json.loads((model / "config.json").read_text())
    write_json(model / "config.json", {name: part for name, part in config.items() if name != "reader"})
    opendpr.add(tmp_path / "notes", [Document("pier", "", "The pier of Orvik is old.")], str(model))
    answerer = open_answerer(tmp_path / "notes", runtime=FP32)
    assert [hit.passage.document_id for hit in answerer.search("the pier")] == ["pier"]
    with pytest.raises(StateError, match="reader"):
        answerer.ask("Where is the pier?")


def test_a_decoder_has_the_confidence_that_was_fitted_for_its_retriever(tmp_path: Path, tiny_model: Path) -> None:
    directory = tmp_path / "fitted"
    shutil.copytree(tiny_model, directory)
    config = json.loads((directory / "config.json").read_text())
    fitted = {"confidence": {"bm25": {"bias": 1.5, "threshold": 0.25}}, "retrieval": {"lambda": 7.0}}
    write_json(directory / "config.json", config | fitted)
    bm25, dense = (Decoder.for_model(Model(directory), name) for name in ("bm25", "dense"))
    assert bm25.confidence is not None
    assert (bm25.confidence.weights, bm25.confidence.threshold) == ({"bias": 1.5}, 0.25)
    assert dense.confidence is None
    assert bm25.decoding == dense.decoding
    assert bm25.decoding.similarity == 7.0


def test_retrievers_search_the_state_of_their_last_refresh(tmp_path: Path, tiny_model: Path) -> None:
    opendpr.add(tmp_path, [Document("pier", "", "The pier of Orvik is old.")], str(tiny_model))
    with open_collection(tmp_path) as collection:
        live, encoder = LiveSnapshot(collection), BertEncoder(Model(tiny_model), FP32)
        retrievers = [make_retriever(kind, live, encoder) for kind in ("dense", "bm25")]
        before, loaded = live.version, [live.load("dense"), live.load("bm25")]
        opendpr.add(tmp_path, [Document("mill", "", "The mill of Orvik is older.")])
        assert not live.is_current()
        live.refresh()
        assert live.is_current()
        assert live.version > before
        assert all(snapshot.state.version.version == before for snapshot in loaded), "a snapshot never changes"
        for retriever in retrievers:
            (hits,) = retriever.retrieve(["mill Orvik"], 5)
            assert {hit.passage.document_id for hit in hits} == {"pier", "mill"}


def test_retrievers_of_one_collection_share_what_they_load(rivers: Path) -> None:
    answerer = open_answerer(rivers, retriever="dense", runtime=FP32)
    live, encoder = answerer._live, answerer.encoder
    for kind in RETRIEVERS:
        assert answerer.search(QUESTION, 3, retriever=kind)
    assert answerer.encoder is encoder
    assert live.load("dense") is live.load("bm25") is live.load("hybrid")
