"""Our models in the forms of other systems and back, and beside those systems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from experiments.common.foreign_models import SENTENCES, write_dpr, write_network, write_sentence_transformer

from opendpr.errors import StateError
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.foreign import ImportSettings, export_model, import_model, left_out
from opendpr.model.foreign.checking import compare
from opendpr.model.openvino import _core
from opendpr.model.reranker import CrossEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Passage

pytestmark = pytest.mark.golden

LARGEST = 2e-4
RUNTIME = RuntimeSettings("openvino", "fp32")


@pytest.fixture(scope="module")
def dpr(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """DPR's two encoders and its reader, small and random."""
    folder = tmp_path_factory.mktemp("dpr")
    source = {
        "question": write_dpr(folder / "question", "DPRQuestionEncoder"),
        "passage": write_dpr(folder / "passage", "DPRContextEncoder"),
        "reader": write_dpr(folder / "reader", "DPRReader"),
    }
    return import_model(source, folder / "ours").model


def test_a_tied_encoder_goes_to_sentence_transformers_and_back(tmp_path: Path, tiny_model: Path) -> None:
    export_model(model := Model(tiny_model), tmp_path / "theirs", "sentence-transformers")
    again = import_model({"": tmp_path / "theirs"}, tmp_path / "again")
    assert again.model.fingerprint == model.fingerprint
    differences = compare(again, {"": tmp_path / "theirs"})
    assert all(isinstance(value, float) and value < LARGEST for value in differences.values()), differences


def test_two_towers_go_to_a_router_and_back(tmp_path: Path, dpr: Model) -> None:
    export_model(dpr, tmp_path / "theirs", "sentence-transformers")
    again = import_model({"": tmp_path / "theirs"}, tmp_path / "again")
    assert again.model.fingerprint == dpr.fingerprint
    differences = compare(again, {"": tmp_path / "theirs"})
    assert all(isinstance(value, float) and value < LARGEST for value in differences.values()), differences


@pytest.mark.parametrize("family", ["mpnet", "xlm-roberta", "distilbert", "electra"])
def test_every_family_and_every_part_goes_to_sentence_transformers_and_back(tmp_path: Path, family: str) -> None:
    prompts = {"query": "query: ", "document": "passage: "}
    parts = {"family": family, "dense": "Tanh", "prompts": prompts, "similarity": "dot", "pooling": "max"}
    source = write_sentence_transformer(tmp_path / "source", **parts)
    model = import_model({"": source}, tmp_path / "ours").model
    export_model(model, tmp_path / "theirs", "sentence-transformers")
    again = import_model({"": tmp_path / "theirs"}, tmp_path / "again").model
    assert again.require_encoder() == model.require_encoder()
    assert again.fingerprint == model.fingerprint


def test_the_three_classes_of_dpr_go_out_and_back(tmp_path: Path, dpr: Model) -> None:
    export_model(dpr, tmp_path / "theirs", "hf-dpr")
    folders = {"question": "question_encoder", "passage": "passage_encoder", "reader": "reader"}
    source = {part: tmp_path / "theirs" / folder for part, folder in folders.items()}
    again = import_model(source, tmp_path / "again")
    assert again.model.fingerprint == dpr.fingerprint
    assert again.model.reader == dpr.reader
    differences = compare(again, source)
    assert all(isinstance(value, float) and value < LARGEST for value in differences.values()), differences


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "distilbert", "electra", "mpnet"])
def test_a_reader_without_selection_goes_to_transformers_and_back(tmp_path: Path, family: str) -> None:
    source = {"": write_network(tmp_path / "source", family, "QuestionAnswering")}
    model = import_model(source, tmp_path / "ours").model
    export_model(model, tmp_path / "theirs", "hf-qa")
    again = import_model({"": tmp_path / "theirs"}, tmp_path / "again")
    assert again.model.reader == model.reader
    for name, value in model.load_weights("reader").items():
        np.testing.assert_array_equal(again.model.load_weights("reader")[name], value, err_msg=name)
    differences = compare(again, {"": tmp_path / "theirs"})
    assert all(isinstance(value, float) and value < LARGEST for value in differences.values()), differences


def test_a_reader_that_selects_passages_goes_to_transformers_without_that_layer(tmp_path: Path, dpr: Model) -> None:
    export_model(dpr, tmp_path / "theirs", "hf-qa")
    again = import_model({"": tmp_path / "theirs"}, tmp_path / "again").model
    assert not again.require_reader().selection
    assert dict(dpr.load_weights("reader")).keys() - again.load_weights("reader").keys() == {
        "qa_classifier.weight",
        "qa_classifier.bias",
    }
    notes = " ".join(left_out(dpr, "hf-qa"))
    assert "selects passages" in notes
    assert "titles" in notes


def test_checkpoints_of_dpr_go_out_and_back(tmp_path: Path, dpr: Model) -> None:
    export_model(dpr, tmp_path / "theirs", "dpr")
    settings = ImportSettings(tokenizer=tmp_path / "theirs" / "tokenizer.json")
    source = {"": tmp_path / "theirs" / "encoder.cp", "reader": tmp_path / "theirs" / "reader.cp"}
    again = import_model(source, tmp_path / "again", settings).model
    assert again.fingerprint == dpr.fingerprint
    for name, value in dpr.load_weights("reader").items():
        np.testing.assert_array_equal(again.load_weights("reader")[name], value, err_msg=name)


def test_a_re_ranker_goes_to_a_cross_encoder_and_back(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder as TheirCrossEncoder

    source = write_network(tmp_path / "source", "bert", "SequenceClassification", num_labels=1)
    model = import_model({"": source}, tmp_path / "ours").model
    export_model(model, tmp_path / "theirs", "sentence-transformers")
    again = import_model({"": tmp_path / "theirs"}, tmp_path / "again").model
    assert again.require_reranker() == model.require_reranker()
    scores = CrossEncoder(again, RUNTIME).score("who", [Passage(0, "d", "", text, 0) for text in SENTENCES])
    theirs = TheirCrossEncoder(str(tmp_path / "theirs"), device="cpu").predict([("who", text) for text in SENTENCES])
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), theirs, atol=LARGEST)


def test_onnx_gives_the_same_vectors(tmp_path: Path, tiny_model: Path) -> None:
    model = Model(tiny_model)
    export_model(model, tmp_path / "onnx", "onnx")
    encoder = BertEncoder(model, RUNTIME)
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = _core().compile_model(tmp_path / "onnx" / "encoder.onnx", "CPU", precise)
    (sequence,) = encoder._input.questions([SENTENCES[0]])
    rows = [array[None].astype(np.int64) for array in (sequence.ids, sequence.types, np.ones_like(sequence.ids))]
    np.testing.assert_allclose(compiled(rows)[0][0], encoder.encode_questions([SENTENCES[0]])[0], atol=LARGEST)
    assert sorted(path.name for path in (tmp_path / "onnx").iterdir()) == [
        *("README.md", "encoder.onnx", "reader.onnx", "tokenizer.json")
    ]


def test_what_a_form_has_no_place_for_is_refused_by_name(tmp_path: Path, tiny_model: Path) -> None:
    for form in ("dpr", "hf-dpr"):
        with pytest.raises(StateError, match="no place for pooling mean"):
            export_model(Model(tiny_model), tmp_path / form, form)
