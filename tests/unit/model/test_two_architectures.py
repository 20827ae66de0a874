"""A model whose reader has another architecture than its encoder: loaded, trained, served, copied."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import TINY

from opendpr.api.training import train_encoder
from opendpr.fitting.figures import DecodingFigures, FittingFigures
from opendpr.fitting.fitted import Fitted, write_fitted
from opendpr.model.config import Architecture, EncoderConfig, ReaderConfig
from opendpr.model.directory import Model, read_weights, write_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.torch import ReaderNetwork, make_network, stored_weights
from opendpr.training.reader import train_reader
from opendpr.training.settings import EncoderSettings, ReaderSettings
from opendpr.types import ExamplePassage, Hit, Passage, Question, TrainingExample

LARGER = Architecture(TINY.vocab_size, 48, 3, 4, 96)
"""Wider and deeper than the encoder of the tiny model."""
EXAMPLES = [
    TrainingExample(
        Question(name, f"Where did {name} go?", (place,)),
        (ExamplePassage("", f"By train {name} went to {place} in May."),),
        (ExamplePassage("", f"In May {name} stayed at home."),),
    )
    for name, place in (("Ada", "Paris"), ("Bert", "Rome"), ("Carla", "Oslo"), ("Dora", "Lima"))
]
LOOP = {"epochs": 1, "batch_size": 4, "precision": "fp32", "device": "cpu", "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The tiny encoder beside a larger reader with random weights."""
    torch.manual_seed(0)
    tiny = Model(tiny_model)
    weights = {"encoder": read_weights(tiny.weights_path("question"))}
    return write_model(
        tmp_path_factory.mktemp("two") / "model",
        name="two",
        tokenizer=tiny.tokenizer_path,
        encoder=(tiny.require_encoder(), weights),
        reader=(ReaderConfig(LARGER), stored_weights(ReaderNetwork(LARGER))),
    )


def assert_same_reader(actual: Model, expected: Model) -> None:
    assert actual.require_reader().architecture == LARGER
    for name, value in expected.load_weights("reader").items():
        np.testing.assert_array_equal(actual.load_weights("reader")[name], value, err_msg=name)


def test_both_runtimes_read_alike(model: Model) -> None:
    hits = [Hit(Passage(1, "d", "", "In the year 1900 the traveller Ada went by train to Paris.", 0), 1.0)]
    runtimes = (RuntimeSettings("openvino", "fp32"), RuntimeSettings("torch", "fp32", "cpu"))
    (first,), (second,) = (BertReader(model, runtime).read(["Where did Ada go?"], [hits]) for runtime in runtimes)
    assert [(span.start, span.end) for span in first] == [(span.start, span.end) for span in second]
    for span, other in zip(first, second, strict=True):
        assert span.span_score == pytest.approx(other.span_score, abs=1e-4)
        assert span.passage_score == pytest.approx(other.passage_score, abs=1e-4)


def test_a_reader_is_trained_from_a_base_with_a_larger_one(model: Model, tmp_path: Path) -> None:
    settings = ReaderSettings(negatives=1, negative_share=1.0, **LOOP)
    trained, training = train_reader(EXAMPLES, model.directory, output=tmp_path / "m", settings=settings)
    assert len(training.losses) == 1
    assert trained.require_reader().architecture == LARGER
    assert trained.require_encoder() == model.require_encoder()
    assert trained.fingerprint == model.fingerprint, "the encoder is the base's"
    name = "encoder.layer.2.output.dense.weight"
    assert (trained.load_weights("reader")[name] != model.load_weights("reader")[name]).any()


def test_training_the_encoder_copies_the_reader(model: Model, tmp_path: Path) -> None:
    settings = EncoderSettings(**LOOP)
    trained, _ = train_encoder(EXAMPLES, model.directory, output=tmp_path / "m", settings=settings)
    assert trained.fingerprint != model.fingerprint
    assert trained.require_encoder() == replace(model.require_encoder(), scale=20.0)
    assert_same_reader(trained, model)


def test_fitting_copies_the_reader(model: Model, tmp_path: Path) -> None:
    figures = FittingFigures(DecodingFigures(30, 0.25, 0.5), {}, {})
    fitted = Fitted({"lambda": 2.0}, {}, figures)
    copied = write_fitted(model, tmp_path / "m", fitted, {})
    assert_same_reader(copied, model)
    assert copied.fingerprint == model.fingerprint
    assert json.loads((tmp_path / "m" / "config.json").read_text())["retrieval"] == {"lambda": 2.0}


@pytest.mark.parametrize(
    "changed", [{"relative_buckets": 32, "type_vocab_size": 0, "position_offset": 2}, {"embedding_size": 16}]
)
def test_other_families_are_trained_too(tmp_path: Path, tiny_model: Path, changed: dict[str, int]) -> None:
    """Biases for distances, no token types, narrow embeddings, a layer on the vectors; a reader without selection."""
    tiny, shape = Model(tiny_model), replace(TINY, **changed)
    config = EncoderConfig(shape, tied=True, projection_size=8)
    reader = ReaderConfig(shape, selection=False)
    base = write_model(
        tmp_path / "base",
        name="base",
        tokenizer=tiny.tokenizer_path,
        encoder=(config, {"encoder": stored_weights(make_network(config))}),
        reader=(reader, stored_weights(make_network(reader))),
    )
    encoder = train_encoder(EXAMPLES, base, output=tmp_path / "encoder", settings=EncoderSettings(**LOOP)).model
    assert encoder.require_encoder() == replace(config, scale=encoder.require_encoder().scale)
    trained = train_reader(EXAMPLES, encoder, output=tmp_path / "reader", settings=ReaderSettings(**LOOP)).model
    assert trained.require_reader().selection
    assert "qa_classifier.weight" in trained.load_weights("reader")
    for name, value in base.load_weights("question").items():
        moved = trained.load_weights("question")[name]
        assert name.endswith("bias") or (moved != value).any(), name
