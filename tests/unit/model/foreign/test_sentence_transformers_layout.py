"""What `modules.json` and the files around it say is read, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from opendpr.errors import InputError, StateError, UsageError
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.foreign import ImportSettings, export_model, import_model
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer

RUNTIME = RuntimeSettings("openvino", "fp32")


@pytest.fixture
def source(tmp_path: Path, tiny_model: Path) -> Path:
    """A small model in the layout of sentence-transformers, without Normalize."""
    export_model(Model(tiny_model), tmp_path / "source", "sentence-transformers")
    modules = json.loads((tmp_path / "source" / "modules.json").read_text())
    (tmp_path / "source" / "modules.json").write_text(json.dumps(modules[:2]))
    return tmp_path / "source"


def edit(path: Path, *removed: str, **changed: Any) -> None:
    values = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps({name: v for name, v in {**values, **changed}.items() if name not in removed}))


def imported(source: Path, **settings: Any) -> Model:
    return import_model({"": source}, source.parent / "ours", ImportSettings(**settings)).model


@pytest.mark.parametrize(("named", "expected"), [("cosine", "cosine"), ("dot", "dot"), (None, "cosine")])
def test_the_similarity_is_the_one_that_is_named_or_else_cosine(source: Path, named: str, expected: str) -> None:
    edit(source / "config_sentence_transformers.json", similarity_fn_name=named)
    assert imported(source).require_encoder().similarity == expected


def test_the_similarity_can_be_given(source: Path) -> None:
    edit(source / "config_sentence_transformers.json", similarity_fn_name=None)
    assert imported(source, similarity="dot").require_encoder().similarity == "dot"


def test_vectors_of_a_cosine_model_have_length_one(source: Path) -> None:
    vectors = BertEncoder(imported(source), RUNTIME).encode_questions(["who", "where"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_prompts_are_prefixes_and_change_the_vectors(source: Path) -> None:
    edit(source / "config_sentence_transformers.json", prompts={"query": "query: ", "passage": "passage: "})
    model = imported(source)
    form = model.require_encoder().input_form
    assert (form.question_prefix, form.passage_prefix) == ("query: ", "passage: ")
    plain = import_model({"": source}, source.parent / "plain", ImportSettings(question_prefix="", passage_prefix=""))
    assert plain.model.fingerprint != model.fingerprint
    expected = BertEncoder(plain.model, RUNTIME).encode_questions(["query: who"])
    np.testing.assert_allclose(BertEncoder(model, RUNTIME).encode_questions(["who"]), expected, atol=1e-6)


def test_a_default_prompt_for_questions_and_passages_alike_is_refused(source: Path) -> None:
    about = {"prompts": {"retrieval": "Represent: "}, "default_prompt_name": "retrieval"}
    edit(source / "config_sentence_transformers.json", **about)
    with pytest.raises(InputError, match=r"'retrieval'.*--question-prefix"):
        imported(source)
    assert (
        imported(source, question_prefix="Represent: ", passage_prefix="").require_encoder().input_form.passage_prefix
        == ""
    )


def test_the_longest_sequence_is_found_wherever_it_is(source: Path) -> None:
    edit(source / "sentence_bert_config.json", "query_length", "document_length", max_seq_length=128)
    assert imported(source).require_encoder().max_question_tokens == 128


def test_the_tokenizer_has_the_length_where_the_model_has_none(source: Path) -> None:
    edit(source / "sentence_bert_config.json", "query_length", "document_length", "max_seq_length")
    edit(source / "tokenizer_config.json", model_max_length=77)
    assert imported(source).require_encoder().max_passage_tokens == 77


def test_no_sequence_is_longer_than_the_position_table(source: Path) -> None:
    edit(source / "sentence_bert_config.json", "query_length", "document_length", max_seq_length=4_096)
    config = imported(source).require_encoder()
    assert config.max_question_tokens == config.max_passage_tokens == 512


def test_lower_case_is_done_by_the_tokenizer(source: Path) -> None:
    cased = json.loads((source / "tokenizer.json").read_text())
    cased["normalizer"]["lowercase"] = False
    (source / "tokenizer.json").write_text(json.dumps(cased))
    edit(source / "sentence_bert_config.json", do_lower_case=True)
    tokenizer = Tokenizer(imported(source).tokenizer_path)
    np.testing.assert_array_equal(tokenizer.ids(["MiXeD Case"])[0], tokenizer.ids(["mixed case"])[0])


@pytest.mark.parametrize(
    ("file", "changed", "named"),
    [
        ("config_sentence_transformers.json", {"similarity_fn_name": "manhattan"}, "manhattan"),
        ("config_sentence_transformers.json", {"truncate_dim": 64}, "truncate_dim"),
        ("config_sentence_transformers.json", {"model_type": "SparseEncoder"}, "SparseEncoder"),
        ("sentence_bert_config.json", {"query_expansion": {"tokens": 32}}, "query_expansion"),
        ("sentence_bert_config.json", {"processing_kwargs": {"text": {"padding": 1}}}, "processing_kwargs"),
        ("1_Pooling/config.json", {"include_prompt": False}, "include_prompt"),
        ("1_Pooling/config.json", {"pooling_mode": ["cls", "mean"]}, "cls, mean"),
        ("config.json", {"model_type": "modernbert"}, "modernbert"),
        ("config.json", {"model_type": "deberta-v2"}, "deberta-v2"),
        ("config.json", {"hidden_act": "swish"}, "swish"),
        ("config.json", {"position_embedding_type": "relative_key"}, "relative_key"),
    ],
    ids=str,
)
def test_what_has_no_place_in_ours_is_refused_by_name(
    source: Path, file: str, changed: dict[str, Any], named: str
) -> None:
    edit(source / file, **changed)
    with pytest.raises(InputError, match=named):
        imported(source)
    assert not (source.parent / "ours").exists()


def test_another_module_is_refused_by_name(source: Path) -> None:
    modules = json.loads((source / "modules.json").read_text())
    modules.append({"type": "sentence_transformers.models.LSTM", "path": "2_LSTM"})
    (source / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match="LSTM"):
        imported(source)


def test_weights_without_a_place_are_refused_by_name(source: Path, tiny_model: Path) -> None:
    weights = {**Model(tiny_model).load_weights("question"), "adapter.down.weight": np.zeros((2, 2), np.float32)}
    save_file(weights, source / "model.safetensors")
    with pytest.raises(InputError, match="adapter"):
        imported(source)


@pytest.mark.parametrize("name", ["adapter_config.json", "pooler.pt"])
def test_additions_to_a_network_are_refused_by_name(source: Path, name: str) -> None:
    (source / name).write_text("{}")
    with pytest.raises(InputError, match=name):
        imported(source)


def test_old_files_name_their_pooling_by_flags(source: Path) -> None:
    path = source / "1_Pooling" / "config.json"
    edit(path, "pooling_mode", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    assert imported(source).require_encoder().pooling == "cls"


def test_a_directory_of_no_known_form_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"modules\.json"):
        imported(tmp_path / "empty")
    with pytest.raises(InputError, match="does not exist"):
        imported(tmp_path / "missing")
    with pytest.raises(UsageError, match="question and passage encoder, and reader"):
        import_model({}, tmp_path / "ours")


def test_nothing_is_written_over_a_directory_that_holds_something(source: Path) -> None:
    with pytest.raises(StateError, match="not empty"):
        import_model({"": source}, source)


def test_questions_that_are_cut_are_reported(source: Path, caplog: pytest.LogCaptureFixture) -> None:
    edit(source / "sentence_bert_config.json", query_length=6)
    BertEncoder(imported(source), RUNTIME).encode_questions(["who", "who wrote the letter in March"])
    assert "questions longer than 6 tokens" in caplog.text
    assert "1 of 2" in caplog.text
