"""Networks of BERT's kind in OpenVINO, built from stored weights without torch: the default on a CPU."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opendpr import __version__
from opendpr.errors import StateError
from opendpr.model.batches import Batch
from opendpr.model.compiled import compiled_path, keep_compiled, read_compiled
from opendpr.model.config import (
    Activation,
    Architecture,
    EncoderConfig,
    NetworkConfig,
    Pooling,
    ReaderConfig,
    RerankerConfig,
    distance_buckets,
)
from opendpr.model.directory import Weights
from opendpr.model.precision import Precision, WeightForm, int8_steps, weight_form
from opendpr.model.processor import processor, usable_cores

# Importing openvino also imports its converter, which reports the import over the network. Without the converter, which
# nothing here uses, it does not: a module set to None cannot be imported, and openvino goes on without it.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import Node  # noqa: E402
from openvino import opset13 as op  # noqa: E402

logger = logging.getLogger(__name__)

PADDING_LOGIT = -10_000.0
"""Added to the attention logits of padding."""


@cache
def _core() -> ov.Core:
    """The only one of the process, never freed.

    Each one gives the thread that makes it a stack for signals and takes it away when freed; the last of several
    puts back one that is freed already, and the next signal, such as Ctrl-C, ends the process by SIGSEGV.
    """
    return ov.Core()


def _constant(matrix: NDArray[np.float32], form: WeightForm) -> Node:
    if form == "whole":
        return op.constant(matrix)
    steps, scales = int8_steps(matrix)
    if form == "rounded":
        return op.constant(steps * scales)
    return op.multiply(op.convert(op.constant(steps), "f32"), op.constant(scales))


def _linear(x: Node, weights: Weights, name: str, form: WeightForm = "whole") -> Node:
    """X W^T + b"""
    product = op.matmul(x, _constant(weights[f"{name}.weight"], form), False, True)
    return op.add(product, op.constant(weights[f"{name}.bias"]))


def _norm(x: Node, weights: Weights, name: str, epsilon: float) -> Node:
    x = op.mvn(x, op.constant(np.array([-1], np.int64)), True, epsilon, "inside_sqrt")
    return op.add(op.multiply(x, op.constant(weights[f"{name}.weight"])), op.constant(weights[f"{name}.bias"]))


def _activated(x: Node, kind: Activation) -> Node:
    match kind:
        case "identity":
            return x
        case "tanh":
            return op.tanh(x)
        case "relu":
            return op.relu(x)
        case "gelu":
            return op.gelu(x, "erf")
        case "gelu_tanh":
            return op.gelu(x, "tanh")


def _integers(*values: int) -> Node:
    return op.constant(np.array(values, np.int64))


def _embedded(shape: Architecture, weights: Weights, inputs: Sequence[Node], form: WeightForm) -> tuple[Node, Node]:
    """What the first layer reads, (B, L, d), and the positions from 0, (L,)."""
    ids, types, _ = inputs
    zero, step = op.constant(np.int64(0)), op.constant(np.int64(1))
    length = op.gather(op.shape_of(ids), op.constant(np.int64(1)), zero)
    positions = op.range(zero, length, step, "i64")

    def embedding(name: str, rows: Node) -> Node:
        return op.gather(op.constant(weights[f"embeddings.{name}_embeddings.weight"]), rows, zero)

    rows = op.add(positions, op.constant(np.int64(shape.position_offset))) if shape.position_offset else positions
    x = embedding("word", ids)
    if shape.type_vocab_size:
        x = op.add(x, embedding("token_type", types))
    x = _norm(op.add(x, embedding("position", rows)), weights, "embeddings.LayerNorm", shape.layer_norm_eps)
    if shape.embedding_size:
        x = _linear(x, weights, "embeddings_project", form)
    return x, positions


def _additive(shape: Architecture, weights: Weights, mask: Node, positions: Node) -> Node:
    """What is added to the attention's logits: (B, 1, 1, L), or (B, heads, L, L) with biases for distances."""
    spread = op.unsqueeze(op.convert(mask, "f32"), _integers(1, 2))
    additive = op.multiply(op.subtract(op.constant(np.float32(1)), spread), op.constant(np.float32(PADDING_LOGIT)))
    if not shape.relative_buckets:
        return additive
    by_bucket = weights["encoder.relative_attention_bias.weight"]
    by_distance = by_bucket[distance_buckets(shape.max_tokens, shape.relative_buckets)]
    ahead = op.subtract(op.unsqueeze(positions, _integers(0)), op.unsqueeze(positions, _integers(1)))
    rows = op.add(ahead, op.constant(np.int64(shape.max_tokens - 1)))
    biases = op.gather(op.constant(np.ascontiguousarray(by_distance)), rows, op.constant(np.int64(0)))
    return op.add(additive, op.transpose(biases, _integers(2, 0, 1)))


def _bert(shape: Architecture, weights: Weights, inputs: Sequence[Node], form: WeightForm) -> Node:
    """Last layer, (B, L, d)."""
    x, positions = _embedded(shape, weights, inputs, form)
    additive = _additive(shape, weights, inputs[2], positions)
    heads, joined = _integers(0, 0, shape.num_attention_heads, -1), _integers(0, 0, shape.hidden_size)
    swapped = _integers(0, 2, 1, 3)
    for number in range(shape.num_hidden_layers):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            op.transpose(op.reshape(_linear(x, weights, f"{layer}.attention.self.{part}", form), heads, True), swapped)
            for part in ("query", "key", "value")
        )
        mixed = op.transpose(op.scaled_dot_product_attention(query, key, value, additive), swapped)
        mixed = _linear(op.reshape(mixed, joined, True), weights, f"{layer}.attention.output.dense", form)
        x = _norm(op.add(x, mixed), weights, f"{layer}.attention.output.LayerNorm", shape.layer_norm_eps)
        wide = _activated(_linear(x, weights, f"{layer}.intermediate.dense", form), shape.activation)
        narrow = _linear(wide, weights, f"{layer}.output.dense", form)
        x = _norm(op.add(x, narrow), weights, f"{layer}.output.LayerNorm", shape.layer_norm_eps)
    return x


def _first(hidden: Node) -> Node:
    """(B, L, d) -> (B, d): the vector of [CLS]."""
    return op.gather(hidden, op.constant(np.int64(0)), op.constant(np.int64(1)))


def _pooled(hidden: Node, mask: Node, pooling: Pooling) -> Node:
    """(B, L, d) -> (B, d)"""
    if pooling == "cls":
        return _first(hidden)
    token_axis = _integers(1)
    weight = op.unsqueeze(op.convert(mask, "f32"), _integers(2))
    if pooling == "max":
        lowest = op.constant(np.float32(np.finfo(np.float32).min))
        return op.reduce_max(op.select(op.greater(weight, op.constant(np.float32(0))), hidden, lowest), token_axis)
    if pooling in ("weighted_mean", "last"):
        place = op.multiply(op.cumsum(weight, op.constant(np.int64(1))), weight)
        last = op.convert(op.equal(place, op.reduce_max(place, token_axis, True)), "f32")
        weight = place if pooling == "weighted_mean" else last
    total = op.reduce_sum(weight, token_axis)
    divisor = op.sqrt(total) if pooling == "mean_sqrt" else total
    return op.divide(op.reduce_sum(op.multiply(hidden, weight), token_axis), divisor)


def _encode(hidden: Node, mask: Node, config: EncoderConfig, weights: Weights) -> Node:
    """(B, L, d) -> (B, d)"""
    vectors = _pooled(hidden, mask, config.pooling)
    if config.projection_size:
        vectors = _activated(_linear(vectors, weights, "projection"), config.projection_activation)
    return op.normalize_l2(vectors, _integers(1), 1e-12, "max") if config.similarity == "cosine" else vectors


def _read(hidden: Node, config: ReaderConfig, weights: Weights) -> Node:
    """(B, L, d) -> (B, 1 + 2L): selection, start and end logits."""
    logits = _linear(hidden, weights, "qa_outputs")
    if config.selection:
        selection = _linear(_first(hidden), weights, "qa_classifier")
    else:
        selection = op.negative(op.reduce_sum(_first(logits), _integers(1), True))
    flat = op.reshape(op.transpose(logits, _integers(0, 2, 1)), _integers(0, -1), True)
    return op.concat([selection, flat], 1)


def _score(hidden: Node, config: RerankerConfig, weights: Weights) -> Node:
    """(B, L, d) -> (B, 1)"""
    head = _activated(_linear(_first(hidden), weights, "pooler.dense"), config.head_activation)
    return _linear(head, weights, "classifier")


def build(config: NetworkConfig, weights: Weights, form: WeightForm) -> ov.Model:
    """The graph of a tower, a reader or a re-ranker, from stored weights."""
    inputs = [op.parameter([-1, -1], ov.Type.i32, name=name) for name in ("ids", "types", "mask")]
    hidden = _bert(config.architecture, weights, inputs, form)
    match config:
        case EncoderConfig():
            result = _encode(hidden, inputs[2], config, weights)
        case ReaderConfig():
            result = _read(hidden, config, weights)
        case RerankerConfig():
            result = _score(hidden, config, weights)
    return ov.Model([result], inputs, "opendpr")


class OpenVinoNetwork:
    """A `Network` on the CPU; `load_network` makes one.

    Args:
        memory: what the compiled network was taken from, and whose weights it goes on reading
    """

    def __init__(self, compiled: ov.CompiledModel, memory: NDArray[np.uint8] | None = None) -> None:
        self._compiled, self._memory = compiled, memory
        self._parallel = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    @property
    def parallel(self) -> int:
        return self._parallel

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        # No callbacks in Python (and so no AsyncInferQueue): a thread of OpenVINO that still waits for the interpreter
        # to leave one is joined when the network is freed, by a thread that holds the interpreter, for ever.
        requests = [self._compiled.create_infer_request() for _ in range(min(self._parallel, len(batches)))]
        results: list[NDArray[np.float32]] = []
        for place, batch in enumerate(batches):
            request = requests[place % len(requests)]
            if place >= len(requests):
                results.append(_result(request))
            request.start_async(list(batch))
        for place in range(len(results), len(batches)):
            results.append(_result(requests[place % len(requests)]))
        return results


def load_network(
    config: NetworkConfig,
    load_weights: Callable[[], Weights],
    kept: Path | None,
    *,
    precision: Precision,
    throughput: bool,
) -> OpenVinoNetwork:
    """Compile a network, or take the one that was compiled before.

    Args:
        load_weights: called if it has to be compiled
        kept: the file of its weights, if the compiled network is to be kept in the user's cache
        throughput: several batches at once with a thread each, for many sequences; else all threads on one, for few
    """
    form = weight_form(precision, takes_bf16=takes_bf16())
    options: dict[str, object] = {
        "PERFORMANCE_HINT": "THROUGHPUT" if throughput else "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" or form == "rounded" else "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "32" if form == "int8" else "0",
    }
    if kept is None:
        return OpenVinoNetwork(_compile(config, load_weights(), form, options))
    machine = (ov.get_version(), __version__, *processor(), usable_cores())
    path = compiled_path(kept, (config, precision, sorted(options.items()), machine))
    if (content := read_compiled(path)) is not None:
        try:
            compiled = _core().import_model(ov.Tensor(content, shared_memory=True), "CPU", options)
            return OpenVinoNetwork(compiled, content)
        except RuntimeError as error:
            logger.info("%s cannot be used (%s); the network is compiled again", path, error)
    compiled = _compile(config, load_weights(), form, options)
    keep_compiled(path, compiled.export_model().getvalue())
    return OpenVinoNetwork(compiled)


def _compile(config: NetworkConfig, weights: Weights, form: WeightForm, options: dict[str, object]) -> ov.CompiledModel:
    try:
        model = build(config, weights, form)
    except KeyError as error:
        raise StateError(
            f"the weights lack {error.args[0]}; config.json and model.safetensors do not belong together"
        ) from None
    return _core().compile_model(model, "CPU", options)


def _result(request: ov.InferRequest) -> NDArray[np.float32]:
    """What a request computes, copied out of its memory."""
    request.wait()
    return np.array(request.get_output_tensor().data, dtype=np.float32)


def takes_bf16() -> bool:
    """Whether OpenVINO can compute in bf16 here, which says nothing of how fast."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
