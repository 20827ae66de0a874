"""Passages in the order of a cross-encoder."""

from __future__ import annotations

import numpy as np

from opendpr.model.config import RerankerConfig
from opendpr.model.directory import Model, write_reranker
from opendpr.model.reranker import CrossEncoder, pair
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.search.reranking import Reranking
from opendpr.types import Hit, Passage

TEXTS = ["the letter was written in March", "rain", "a long walk by the river", "who wrote it is not known"]


def make_cross_encoder(tmp_path, tiny_model) -> CrossEncoder:
    tiny = Model(tiny_model)
    generator = np.random.default_rng(0)
    shape = tiny.require_encoder().architecture
    heads = {
        "pooler.dense.weight": generator.normal(0, 0.3, (32, 32)),
        "pooler.dense.bias": np.zeros(32),
        "classifier.weight": generator.normal(0, 0.3, (1, 32)),
        "classifier.bias": np.zeros(1),
    }
    weights = {**tiny.load_weights("passage"), **heads}
    model = write_reranker(tmp_path / "reranker", tiny.tokenizer_path, RerankerConfig(shape), weights)
    return CrossEncoder(model, RuntimeSettings("openvino", "fp32"))


def hits() -> list[Hit]:
    return [Hit(Passage(n, "d", "", text, 0), 9.0 - n, {"bm25": 9.0 - n}) for n, text in enumerate(TEXTS)]


def test_the_best_passages_come_first_with_their_new_score_beside_the_old(tmp_path, tiny_model):
    encoder = make_cross_encoder(tmp_path, tiny_model)
    expected = encoder.score("who wrote the letter", [hit.passage for hit in hits()])
    (best,) = Reranking(encoder, 100).best(["who wrote the letter"], [hits()], k=3)
    assert [hit.passage.number for hit in best] == np.argsort(-expected)[:3].tolist()
    assert all(hit.score == hit.parts["rerank"] for hit in best)
    assert all(hit.parts["bm25"] == 9.0 - hit.passage.number for hit in best)


def test_a_score_does_not_depend_on_the_other_passages(tmp_path, tiny_model):
    encoder = make_cross_encoder(tmp_path, tiny_model)
    together = encoder.score("who", [hit.passage for hit in hits()])
    alone = [encoder.score("who", [hit.passage])[0] for hit in hits()]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert encoder.score("who", []).shape == (0,)


def test_of_a_pair_that_is_too_long_the_longer_is_cut(tiny_model):
    model = Model(tiny_model)
    tokenizer = Tokenizer(model.tokenizer_path)
    config = RerankerConfig(model.require_encoder().architecture, max_tokens=13)

    def lengths(question: int, text: int) -> tuple[int, int]:
        sequence = pair(np.full(question, 5), np.empty(0), np.full(text, 6), config=config, tokenizer=tokenizer)
        return int((sequence.ids == 5).sum()), int((sequence.ids == 6).sum())

    assert lengths(3, 4) == (3, 4)
    assert lengths(3, 40) == (3, 7)
    assert lengths(40, 2) == (8, 2)
    assert lengths(40, 50) == (5, 5)
