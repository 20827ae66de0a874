"""Model directories: written, opened, distinguished, and refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opendpr.choices import RuntimeName
from opendpr.errors import CorruptionError, OpendprError, StateError
from opendpr.model.batches import Network
from opendpr.model.config import EncoderConfig, InputForm
from opendpr.model.directory import Model, Part, Weights, find_model, fingerprint, read_weights, write_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings, load_network
from opendpr.model.tokenizer import Tokenizer
from opendpr.types import Passage


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Model:
    return Model(tiny_model)


@pytest.fixture(scope="module")
def weights(tiny: Model) -> Weights:
    return read_weights(tiny.weights_path("passage"))


@pytest.fixture
def copy(tmp_path: Path, tiny: Model, weights: Weights) -> Path:
    """A model directory that a test may damage."""
    return written(tmp_path / "copy", tiny, weights).directory


def written(directory: Path, tiny: Model, weights: Weights, **changed: Any) -> Model:
    config = replace(tiny.require_encoder(), **changed)
    return write_model(directory, name="copy", tokenizer=tiny.tokenizer_path, encoder=(config, {"encoder": weights}))


def edit(directory: Path, **changed: Any) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def test_what_is_written_is_opened_again(tmp_path: Path, tiny: Model, weights: Weights) -> None:
    config = EncoderConfig(
        tiny.require_encoder().architecture,
        pooling="cls",
        similarity="dot",
        tied=False,
        scale=3.5,
        input_form=InputForm(title=False, token_types="segments"),
        max_question_tokens=11,
        max_passage_tokens=22,
    )
    towers = {"question_encoder": weights, "passage_encoder": weights}
    model = write_model(
        tmp_path / "m",
        name="ähnlich",
        tokenizer=tiny.tokenizer_path,
        encoder=(config, towers),
        reader=(tiny.require_reader(), read_weights(tiny.weights_path("reader"))),
        retrieval={"lambda": 2.5},
    )
    again = find_model(str(tmp_path / "m"))
    assert (again.encoder, again.reader, again.name, dict(again.retrieval)) == (
        config,
        tiny.reader,
        "ähnlich",
        {"lambda": 2.5},
    )
    assert again.fingerprint == model.fingerprint != ""
    for part in ("question", "passage"):
        loaded = again.load_weights(part)
        assert set(loaded) == set(weights)
        assert all(value.dtype == np.float32 for value in loaded.values())
        np.testing.assert_array_equal(
            loaded["embeddings.word_embeddings.weight"], weights["embeddings.word_embeddings.weight"]
        )
    assert not list((tmp_path / "m").rglob("*.tmp"))


def test_the_same_model_written_twice_has_one_fingerprint(tmp_path: Path, tiny: Model, weights: Weights) -> None:
    assert written(tmp_path / "a", tiny, weights).fingerprint == written(tmp_path / "b", tiny, weights).fingerprint
    assert written(tmp_path / "a", tiny, weights).fingerprint == tiny.fingerprint, "the reader is no part of it"


@pytest.mark.parametrize(
    "changed",
    [
        {"pooling": "cls"},
        {"similarity": "dot"},
        {"input_form": InputForm(title=False)},
        {"input_form": InputForm(token_types="segments")},
        {"max_passage_tokens": 128},
        {"max_question_tokens": 32},
        {"input_form": InputForm(question_prefix="query: ")},
        {"input_form": InputForm(passage_prefix="passage: ")},
    ],
)
def test_whatever_decides_a_vector_changes_the_fingerprint(
    tmp_path: Path, tiny: Model, weights: Weights, changed: dict[str, Any]
) -> None:
    assert written(tmp_path / "m", tiny, weights, **changed).fingerprint != tiny.fingerprint


def test_one_changed_weight_and_one_changed_token_change_the_fingerprint(
    tmp_path: Path, tiny: Model, weights: Weights
) -> None:
    changed = {name: value.copy() for name, value in weights.items()}
    changed["embeddings.word_embeddings.weight"][7, 3] += 1
    assert written(tmp_path / "m", tiny, changed).fingerprint != tiny.fingerprint
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text(tiny.tokenizer_path.read_text().replace('"zebra"', '"zebrb"'))
    config = tiny.require_encoder()
    model = write_model(tmp_path / "n", name="n", tokenizer=tokenizer, encoder=(config, {"encoder": weights}))
    assert model.fingerprint != tiny.fingerprint


def test_the_scale_of_the_loss_is_no_part_of_the_fingerprint(tmp_path: Path, tiny: Model, weights: Weights) -> None:
    assert written(tmp_path / "m", tiny, weights, scale=20.0).fingerprint == tiny.fingerprint


def test_settings_that_came_later_leave_fingerprint_and_config_as_they_were(tiny: Model) -> None:
    stored = json.loads((tiny.directory / "config.json").read_text())["encoder"]
    assert set(stored) == {
        *("architecture", "pooling", "similarity", "tied", "scale", "input_form"),
        *("max_question_tokens", "max_passage_tokens"),
    }
    assert set(stored["input_form"]) == {"title", "token_types"}
    shipped = find_model("opendpr-minilm")
    weights = sorted(shipped.directory.glob("*encoder/model.safetensors"))
    assert fingerprint(shipped.require_encoder(), [shipped.tokenizer_path, *weights]) == shipped.fingerprint


def test_a_model_without_encoder_or_reader_says_so(tmp_path: Path, tiny: Model, copy: Path) -> None:
    with pytest.raises(StateError, match="no reader"):
        Model(copy).require_reader()
    reader = (tiny.require_reader(), read_weights(tiny.weights_path("reader")))
    with pytest.raises(StateError, match="no encoder"):
        write_model(tmp_path / "m", name="m", tokenizer=tiny.tokenizer_path, reader=reader).require_encoder()


def test_unknown_settings_are_refused_by_name(copy: Path) -> None:
    encoder = json.loads((copy / "config.json").read_text())["encoder"]
    edit(copy, encoder={**encoder, "whitening": True})
    with pytest.raises(StateError, match="whitening"):
        Model(copy)
    edit(copy, encoder={**encoder, "architecture": {**encoder["architecture"], "rotary": 1}})
    with pytest.raises(StateError, match="rotary"):
        Model(copy)


@pytest.mark.parametrize(
    ("key", "value"), [("pooling", "median"), ("similarity", "euclidean"), ("input_form", {"token_types": "twos"})]
)
def test_values_that_mean_nothing_are_refused_by_name(copy: Path, key: str, value: object) -> None:
    """Taken silently, an unknown pooling would be served as another one."""
    encoder = json.loads((copy / "config.json").read_text())["encoder"]
    edit(copy, encoder={**encoder, key: value})
    with pytest.raises(StateError, match=r"median|euclidean|twos"):
        Model(copy)


def test_settings_that_are_missing_are_refused(copy: Path) -> None:
    edit(copy, encoder={"pooling": "mean"})
    with pytest.raises(StateError, match="incomplete"):
        Model(copy)


@pytest.mark.parametrize("wrong", [{"retrieval": {"lambda": "80"}}, {"confidence": {"hybrid": [1.0]}}], ids=str)
def test_fitted_weights_that_are_no_numbers_are_refused_by_name(copy: Path, wrong: dict[str, object]) -> None:
    edit(copy, **wrong)
    with pytest.raises(StateError, match=rf"config\.json: {next(iter(wrong))}.* expected numbers by name"):
        Model(copy)


@pytest.mark.parametrize("format", [0, 2, "1", None])
def test_another_format_is_refused_with_both_numbers(copy: Path, format: object) -> None:
    edit(copy, format=format)
    with pytest.raises(StateError, match=f"format {format!r}.*reads format 1"):
        Model(copy)


def test_a_directory_without_config_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"no config\.json"):
        Model(tmp_path)
    with pytest.raises(StateError, match="there is no model 'nothing-like-it'"):
        find_model("nothing-like-it")


def test_a_checkpoint_is_no_model_and_the_message_says_how_it_becomes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bert.cp").touch()
    monkeypatch.chdir(tmp_path)
    for name in ("bert.cp", str(tmp_path / "bert.cp")):
        with pytest.raises(StateError, match=r"bert\.cp is a file, not a model; .*'opendpr import model .*bert\.cp"):
            find_model(name)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format": 1', b"[]", b"7", b'{"format": 1}'])
def test_a_damaged_config_is_refused(copy: Path, content: bytes) -> None:
    (copy / "config.json").write_bytes(content)
    with pytest.raises(OpendprError, match=r"config\.json|format"):
        Model(copy)


def test_missing_files_are_named(copy: Path) -> None:
    model = Model(copy)
    (copy / "encoder" / "model.safetensors").unlink()
    with pytest.raises(StateError, match=r"encoder/model\.safetensors"):
        model.load_weights("passage")
    (copy / "tokenizer.json").unlink()
    with pytest.raises(StateError, match=r"tokenizer\.json"):
        BertEncoder(model)


@pytest.mark.parametrize("kept", [0, 5, 1_000, -1])
def test_a_damaged_safetensors_file_is_corruption(copy: Path, kept: int) -> None:
    path = copy / "encoder" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CorruptionError, match=r"model\.safetensors is damaged"):
        Model(copy).load_weights("passage")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"model": {"type": "BPE"}}', '{"model": {"type": "WordPiece"}}'])
def test_a_file_that_is_no_bert_tokenizer_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(OpendprError, match=r"tokenizer\.json"):
        Tokenizer(path)


@pytest.mark.parametrize("settings", [RuntimeSettings("openvino", "fp32"), RuntimeSettings("torch", "fp32", "cpu")])
def test_weights_that_lack_a_matrix_are_refused_by_its_name(
    tmp_path: Path, tiny: Model, weights: Weights, settings: RuntimeSettings
) -> None:
    missing = "encoder.layer.1.output.dense.weight"
    fewer = {name: value for name, value in weights.items() if name != missing}
    encoder = BertEncoder(written(tmp_path / "m", tiny, fewer), settings)
    with pytest.raises(OpendprError, match=missing):
        encoder.encode_questions(["who"])


@pytest.mark.parametrize(("tied", "loaded"), [(True, ["passage"]), (False, ["question", "passage"])])
def test_towers_with_the_same_weights_are_loaded_once(
    tmp_path: Path, tiny: Model, weights: Weights, monkeypatch: pytest.MonkeyPatch, *, tied: bool, loaded: list[str]
) -> None:
    parts = []

    def load_and_note(model: Model, part: Part, settings: RuntimeSettings, *, throughput: bool) -> Network:
        parts.append(part)
        return load_network(model, part, settings, throughput=throughput)

    monkeypatch.setattr("opendpr.model.encoder.load_network", load_and_note)
    towers = {"encoder": weights} if tied else {"question_encoder": weights, "passage_encoder": weights}
    config = replace(tiny.require_encoder(), tied=tied)
    model = write_model(tmp_path / "m", name="m", tokenizer=tiny.tokenizer_path, encoder=(config, towers))
    encoder = BertEncoder(model, RuntimeSettings("openvino", "fp32"))
    encoder.encode_questions(["Where?"])
    encoder.encode_passages([Passage(1, "a", "", "Here.", 0)])
    assert parts == loaded


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_network_that_gives_no_numbers_is_refused(
    tmp_path: Path, tiny: Model, weights: Weights, runtime: RuntimeName, number: str
) -> None:
    name = "encoder.layer.0.output.LayerNorm.bias"
    damaged = {**weights, name: np.full_like(weights[name], float(number))}
    encoder = BertEncoder(written(tmp_path / "damaged", tiny, damaged), RuntimeSettings(runtime, "fp32", "cpu"))
    refusal = "the encoder network of copy gives (nan|inf), .* restore the model"
    with pytest.raises(OpendprError, match=refusal):
        encoder.encode_questions(["Where?"])
    with pytest.raises(OpendprError, match=refusal):
        encoder.encode_passages([Passage(1, "a", "", "Here.", 0)])
