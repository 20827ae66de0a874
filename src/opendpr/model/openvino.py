"""A BERT-type network in OpenVINO, built from stored weights without torch: the default on a CPU."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import StateError
from opendpr.model.batches import Batch
from opendpr.model.config import Architecture, EncoderConfig, ReaderConfig
from opendpr.model.directory import Weights

# Importing openvino also imports its converter, which reports the import over the network. Without the converter, which
# nothing here uses, it does not: a module set to None cannot be imported, and openvino goes on without it.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import Node  # noqa: E402
from openvino import opset13 as op  # noqa: E402

Precision = Literal["fp32", "bf16", "int8"]
TRIAL_ROWS, TRIAL_WIDTH, TRIAL_LAYERS, TRIALS = 512, 512, 2, 5
"""Size of the trial that decides between bf16 and fp32: a few milliseconds a run."""
GAIN = 1.2
"""How much faster bf16 must be in the trial: a busy machine should not change the choice."""
MASKED = -10_000.0
"""Added to the attention logits of padding."""


@cache
def _core() -> ov.Core:
    """The only one of the process, never freed.

    Each one gives the thread that makes it a stack for signals and takes it away when freed; the last of several
    puts back one that is freed already, and the next signal, such as Ctrl-C, ends the process by SIGSEGV.
    """
    return ov.Core()


def _linear(x: Node, weights: Weights, name: str, int8: bool) -> Node:
    """X W^T + b; in int8 the rows of W are rounded to 255 steps with a scale each."""
    matrix = weights[f"{name}.weight"]
    if int8:
        scale = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
        rounded = op.convert(op.constant(np.rint(matrix / scale).astype(np.int8)), "f32")
        constant = op.multiply(rounded, op.constant(scale))
    else:
        constant = op.constant(matrix)
    return op.add(op.matmul(x, constant, False, True), op.constant(weights[f"{name}.bias"]))


def _norm(x: Node, weights: Weights, name: str, epsilon: float) -> Node:
    x = op.mvn(x, op.constant(np.array([-1], np.int64)), True, epsilon, "inside_sqrt")
    return op.add(op.multiply(x, op.constant(weights[f"{name}.weight"])), op.constant(weights[f"{name}.bias"]))


def _bert(shape: Architecture, weights: Weights, inputs: Sequence[Node], int8: bool) -> Node:
    """Last layer, (B, L, d)."""
    ids, types, mask = inputs
    zero = op.constant(np.int64(0))
    length = op.gather(op.shape_of(ids), op.constant(np.int64(1)), zero)
    positions = op.range(zero, length, op.constant(np.int64(1)), "i64")

    def embedding(name: str, rows: Node) -> Node:
        return op.gather(op.constant(weights[f"embeddings.{name}_embeddings.weight"]), rows, zero)

    x = op.add(op.add(embedding("word", ids), embedding("token_type", types)), embedding("position", positions))
    x = _norm(x, weights, "embeddings.LayerNorm", shape.layer_norm_eps)
    spread = op.unsqueeze(op.convert(mask, "f32"), op.constant(np.array([1, 2], np.int64)))
    additive = op.multiply(op.subtract(op.constant(np.float32(1)), spread), op.constant(np.float32(MASKED)))
    heads = op.constant(np.array([0, 0, shape.num_attention_heads, -1], np.int64))
    joined = op.constant(np.array([0, 0, shape.hidden_size], np.int64))
    swapped = op.constant(np.array([0, 2, 1, 3], np.int64))
    for number in range(shape.num_hidden_layers):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            op.transpose(op.reshape(_linear(x, weights, f"{layer}.attention.self.{part}", int8), heads, True), swapped)
            for part in ("query", "key", "value")
        )
        mixed = op.transpose(op.scaled_dot_product_attention(query, key, value, additive), swapped)
        mixed = _linear(op.reshape(mixed, joined, True), weights, f"{layer}.attention.output.dense", int8)
        x = _norm(op.add(x, mixed), weights, f"{layer}.attention.output.LayerNorm", shape.layer_norm_eps)
        wide = op.gelu(_linear(x, weights, f"{layer}.intermediate.dense", int8), "erf")
        narrow = _linear(wide, weights, f"{layer}.output.dense", int8)
        x = _norm(op.add(x, narrow), weights, f"{layer}.output.LayerNorm", shape.layer_norm_eps)
    return x


def _pooled(hidden: Node, mask: Node, config: EncoderConfig) -> Node:
    """(B, L, d) -> (B, d)"""
    one = op.constant(np.array([1], np.int64))
    if config.pooling == "cls":
        vectors = op.gather(hidden, op.constant(np.int64(0)), op.constant(np.int64(1)))
    else:
        weight = op.unsqueeze(op.convert(mask, "f32"), op.constant(np.array([2], np.int64)))
        vectors = op.divide(op.reduce_sum(op.multiply(hidden, weight), one), op.reduce_sum(weight, one))
    return op.normalize_l2(vectors, one, 1e-12, "max") if config.similarity == "cosine" else vectors


def _read(hidden: Node, weights: Weights) -> Node:
    """(B, L, d) -> (B, 1 + 2L): selection, start and end logits."""
    first = op.gather(hidden, op.constant(np.int64(0)), op.constant(np.int64(1)))
    selection = _linear(first, weights, "qa_classifier", False)
    spans = op.transpose(_linear(hidden, weights, "qa_outputs", False), op.constant(np.array([0, 2, 1], np.int64)))
    flat = op.reshape(spans, op.constant(np.array([0, -1], np.int64)), True)
    return op.concat([selection, flat], 1)


def build(config: EncoderConfig | ReaderConfig, weights: Weights, *, int8: bool) -> ov.Model:
    """The graph of a tower or of a reader, from stored weights."""
    inputs = [op.parameter([-1, -1], ov.Type.i32, name=name) for name in ("ids", "types", "mask")]
    hidden = _bert(config.architecture, weights, inputs, int8)
    result = _pooled(hidden, inputs[2], config) if isinstance(config, EncoderConfig) else _read(hidden, weights)
    return ov.Model([result], inputs, "opendpr")


class OpenVinoNetwork:
    """A `Network` on the CPU.

    Args:
        throughput: several batches at once with one thread each, for many sequences; otherwise all
            threads work on one batch, for few.
    """

    def __init__(
        self, config: EncoderConfig | ReaderConfig, weights: Weights, *, precision: Precision, throughput: bool
    ) -> None:
        options: dict[str, object] = {
            "PERFORMANCE_HINT": "THROUGHPUT" if throughput else "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": "32" if precision == "int8" else "0",
        }
        try:
            model = build(config, weights, int8=precision == "int8")
        except KeyError as error:
            raise StateError(
                f"the weights lack {error.args[0]}; config.json and model.safetensors do not belong together"
            ) from None
        self._compiled = _core().compile_model(model, "CPU", options)
        self._parallel = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

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


def _result(request: ov.InferRequest) -> NDArray[np.float32]:
    """What a request computes, copied out of its memory."""
    request.wait()
    return np.array(request.get_output_tensor().data, dtype=np.float32)


@cache
def default_precision() -> Precision:
    """bf16 where the processor has it and a short trial finds it faster than fp32.

    Listing BF16 is not enough: without matrix units (AMX, or AMD's double rate) a processor can
    take half as long again for it (docs/decisions/0001-precision-by-trial.md).
    """
    core = _core()
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "fp32"
    x = op.parameter([TRIAL_ROWS, TRIAL_WIDTH], ov.Type.f32)
    y: Node = x
    for _ in range(TRIAL_LAYERS):
        y = op.matmul(y, op.constant(np.ones((TRIAL_WIDTH, TRIAL_WIDTH), np.float32)), False, True)
    model = ov.Model([y], [x], "trial")
    data = np.zeros((TRIAL_ROWS, TRIAL_WIDTH), np.float32)
    seconds = {}
    for hint in ("f32", "bf16"):
        options = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(model, "CPU", options).create_infer_request()
        request.infer([data])
        trials = []
        for _ in range(TRIALS):
            started = time.perf_counter()
            request.infer([data])
            trials.append(time.perf_counter() - started)
        seconds[hint] = min(trials)
    return "bf16" if GAIN * seconds["bf16"] < seconds["f32"] else "fp32"
