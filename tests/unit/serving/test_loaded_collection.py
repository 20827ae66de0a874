"""The engine over a collection that others change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import opendpr
from opendpr.collection import open_writer
from opendpr.errors import StateError
from opendpr.maintenance.encode import encode
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.serving.loaded_collection import LoadedCollection
from opendpr.types import Document

FP32 = RuntimeSettings("openvino", "fp32")


def test_a_model_that_is_missing_is_reported_for_each_question_until_it_is_back(
    tmp_path: Path, tiny_model: Path, other_model: Path
) -> None:
    notes, away, newer = tmp_path / "notes", tmp_path / "away", tmp_path / "newer"
    opendpr.add(notes, [Document("pier", "", "The pier of Orvik is old.")], str(tiny_model))
    engine = LoadedCollection(notes, None, FP32)
    shutil.copytree(other_model, newer)
    with open_writer(notes) as writer:
        encode(writer, BertEncoder(Model(newer), FP32))
    newer.rename(away)
    for _ in range(2):
        with pytest.raises(StateError, match="newer"):
            engine.retrieve("dense", ["the pier"], 1, None)
    away.rename(newer)
    (found,) = engine.retrieve("dense", ["the pier"], 1, None)
    assert [hit.passage.document_id for hit in found.hits] == ["pier"]


def test_a_model_of_the_same_networks_with_another_lambda_is_taken_up(tmp_path: Path, tiny_model: Path) -> None:
    notes, weighed = tmp_path / "notes", tmp_path / "weighed"
    opendpr.add(notes, [Document("pier", "", "The pier of Orvik is old.")], str(tiny_model))
    engine = LoadedCollection(notes, None, FP32)
    named = LoadedCollection(notes, str(tiny_model), FP32)
    shutil.copytree(tiny_model, weighed)
    config = json.loads((weighed / "config.json").read_text())
    (weighed / "config.json").write_text(json.dumps({**config, "retrieval": {"lambda": 7.0}}))
    with open_writer(notes) as writer:
        assert encode(writer, BertEncoder(Model(weighed), FP32), keep_old=True).passages == 0
    for loaded in (engine, named):
        loaded.retrieve("hybrid", ["the pier"], 1, None)
    assert (engine.model.hybrid_weight, named.model.hybrid_weight) == (7.0, 1.0)
