"""Small random models of every family, imported, beside the libraries that wrote them; in both runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiments.common.foreign_models import FAMILIES, SENTENCES, write_dpr, write_network, write_sentence_transformer

from opendpr.model.encoder import BertEncoder
from opendpr.model.foreign import ImportSettings, import_model
from opendpr.model.foreign.checking import compare
from opendpr.model.reader import BertReader
from opendpr.model.reranker import CrossEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Hit, Passage

pytestmark = pytest.mark.golden

LARGEST = 2e-4
"""Largest difference of a number, with weights that fp16 holds exactly."""
TORCH = RuntimeSettings("torch", "fp32", "cpu")
OPENVINO = RuntimeSettings("openvino", "fp32")


def passages() -> list[Passage]:
    return [Passage(number, "d", "", text, 0) for number, text in enumerate(SENTENCES)]


def largest(differences: dict[str, float | str]) -> float:
    assert differences
    assert all(isinstance(value, float) for value in differences.values()), differences
    return max(value for value in differences.values() if isinstance(value, float))


@pytest.mark.parametrize("family", FAMILIES)
def test_bare_networks_give_the_vectors_of_transformers(tmp_path: Path, family: str) -> None:
    source = {"": write_network(tmp_path / "theirs", family)}
    imported = import_model(source, tmp_path / "ours", ImportSettings(pooling="mean"))
    assert largest(compare(imported, source)) < LARGEST
    vectors = [BertEncoder(imported.model, runtime).encode_questions(SENTENCES) for runtime in (OPENVINO, TORCH)]
    np.testing.assert_allclose(*vectors, atol=LARGEST)


@pytest.mark.parametrize("family", FAMILIES)
def test_readers_give_the_logits_of_transformers(tmp_path: Path, family: str) -> None:
    source = {"": write_network(tmp_path / "theirs", family, "QuestionAnswering")}
    imported = import_model(source, tmp_path / "ours")
    assert largest(compare(imported, source)) < LARGEST
    hits = [Hit(passage, 0.0) for passage in passages()]
    first, second = (
        BertReader(imported.model, runtime).read(["where does it rise"], [hits])[0] for runtime in (OPENVINO, TORCH)
    )
    assert [span.text for span in first[:3]] == [span.text for span in second[:3]]
    assert first[0].passage_score == pytest.approx(second[0].passage_score, abs=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_cross_encoders_give_the_scores_of_transformers(tmp_path: Path, family: str) -> None:
    source = {"": write_network(tmp_path / "theirs", family, "SequenceClassification", num_labels=1)}
    imported = import_model(source, tmp_path / "ours")
    assert largest(compare(imported, source)) < LARGEST
    scores = [CrossEncoder(imported.model, runtime).score("who", passages()) for runtime in (OPENVINO, TORCH)]
    np.testing.assert_allclose(*scores, atol=LARGEST)


@pytest.mark.parametrize("projection", [0, 16])
def test_three_classes_of_dpr_make_one_model(tmp_path: Path, projection: int) -> None:
    source = {
        "question": write_dpr(tmp_path / "question", "DPRQuestionEncoder", projection),
        "passage": write_dpr(tmp_path / "passage", "DPRContextEncoder", projection),
        "reader": write_dpr(tmp_path / "reader", "DPRReader"),
    }
    imported = import_model(source, tmp_path / "ours")
    assert set(differences := compare(imported, source)) == {"question vectors", "passage vectors", "reader logits"}
    assert largest(differences) < LARGEST
    assert BertEncoder(imported.model).dim == projection or 32


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"])
def test_every_pooling_of_sentence_transformers(tmp_path: Path, pooling: str) -> None:
    source = {"": write_sentence_transformer(tmp_path / "theirs", pooling=pooling, similarity="dot")}
    imported = import_model(source, tmp_path / "ours")
    assert imported.model.require_encoder().similarity == "dot"
    assert largest(compare(imported, source)) < LARGEST
    vectors = [BertEncoder(imported.model, runtime).encode_questions(SENTENCES) for runtime in (OPENVINO, TORCH)]
    np.testing.assert_allclose(*vectors, atol=LARGEST)


@pytest.mark.parametrize(
    "parts",
    [
        {"dense": "Tanh"},
        {"dense": "Identity", "normalize": True},
        {"family": "mpnet", "normalize": True},
        {"family": "roberta", "limit": 9},
        {"family": "xlm-roberta", "prompts": {"query": "query: ", "passage": "passage: "}},
        {"router": True, "normalize": True},
    ],
    ids=str,
)
def test_what_models_of_sentence_transformers_are_made_of(tmp_path: Path, parts: dict[str, Any]) -> None:
    source = {"": write_sentence_transformer(tmp_path / "theirs", **parts)}
    imported = import_model(source, tmp_path / "ours")
    assert largest(compare(imported, source)) < LARGEST


def test_an_imported_encoder_ranks_by_the_similarity_of_the_source(tmp_path: Path) -> None:
    """Without a Normalize module, `similarity_fn_name` alone says that the cosine counts."""
    from sentence_transformers import SentenceTransformer

    source = write_sentence_transformer(tmp_path / "theirs", similarity="cosine")
    ours = BertEncoder(import_model({"": source}, tmp_path / "ours").model, OPENVINO)
    theirs = SentenceTransformer(str(source), device="cpu")
    expected = theirs.similarity(theirs.encode_query(SENTENCES), theirs.encode_document(SENTENCES)).numpy()
    scores = ours.encode_questions(SENTENCES) @ ours.encode_passages(passages()).T
    np.testing.assert_allclose(scores, expected, atol=LARGEST)
