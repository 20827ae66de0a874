"""Weights in 255 steps: against a slow version, and what a network computes with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from opendpr.model.config import EncoderConfig
from opendpr.model.directory import Model, Weights
from opendpr.model.openvino import OpenVinoNetwork, _core, build, takes_bf16
from opendpr.model.precision import WeightForm, int8_steps, weight_form
from opendpr.model.runtime import RuntimeSettings, described
from opendpr.types import Vectors

GENERATOR = np.random.default_rng(0)
IDS = GENERATOR.integers(1_000, 20_000, (4, 24)).astype(np.int32)


@pytest.fixture(scope="module")
def encoder(tiny_model: Path) -> tuple[EncoderConfig, Weights]:
    model = Model(tiny_model)
    return model.require_encoder(), model.load_weights("passage")


def vectors(config: EncoderConfig, weights: Weights, form: WeightForm) -> Vectors:
    """What a network in fp32 computes, (4, d)."""
    options = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
    compiled = _core().compile_model(build(config, weights, form), "CPU", options)
    return OpenVinoNetwork(compiled)([(IDS, np.zeros_like(IDS), np.ones_like(IDS))])[0]


def rounded_slowly(matrix: np.ndarray) -> np.ndarray:
    """Each row in steps of a 127th of its largest number."""
    rows = []
    for row in matrix:
        step = max(map(abs, row)) / 127
        rows.append([round(float(value / step)) * step for value in row])
    return np.array(rows, np.float32)


def test_steps_and_scales_are_the_matrix_rounded_row_by_row() -> None:
    matrix = GENERATOR.normal(size=(5, 7)).astype(np.float32)
    steps, scales = int8_steps(matrix)
    assert steps.dtype == np.int8 and scales.shape == (5, 1)
    np.testing.assert_allclose(steps * scales, rounded_slowly(matrix), rtol=1e-5)
    assert (np.abs(steps).max(axis=1) == 127).all()


def test_a_row_of_zeros_stays_one() -> None:
    steps, scales = int8_steps(np.zeros((1, 3), np.float32))
    np.testing.assert_array_equal(steps * scales, np.zeros((1, 3)))


def test_stored_and_rounded_weights_give_the_same_vectors(encoder: tuple[EncoderConfig, Weights]) -> None:
    config, weights = encoder
    rounded = vectors(config, weights, "rounded")
    np.testing.assert_allclose(vectors(config, weights, "int8"), rounded, atol=1e-5)
    by_hand = {
        name: rounded_slowly(matrix) if name.startswith("encoder.layer") and matrix.ndim == 2 else matrix
        for name, matrix in weights.items()
    }
    np.testing.assert_allclose(vectors(config, by_hand, "whole"), rounded, atol=1e-5)
    assert np.abs(rounded - vectors(config, weights, "whole")).max() > 1e-4


@pytest.mark.parametrize("takes", [True, False])
def test_only_int8_rounds(takes: bool) -> None:
    assert weight_form("fp32", takes_bf16=takes) == weight_form("bf16", takes_bf16=takes) == "whole"


@pytest.mark.parametrize(
    ("vendor", "flags", "takes", "form"),
    [
        ("GenuineIntel", "avx512_bf16 amx_bf16", True, "rounded"),
        ("GenuineIntel", "avx512_bf16 amx_bf16", False, "int8"),
        ("GenuineIntel", "avx512_bf16", True, "int8"),
        ("AuthenticAMD", "avx512_bf16", True, "int8"),
    ],
)
def test_matrix_units_compute_int8_as_rounded_weights(vendor: str, flags: str, takes: bool, form: str) -> None:
    cpu_info = f"vendor_id\t: {vendor}\nflags\t\t: fpu {flags}\n"
    assert weight_form("int8", takes_bf16=takes, cpu_info=cpu_info) == form


def test_vectors_of_the_two_kinds_of_int8_are_told_apart() -> None:
    is_rounded = weight_form("int8", takes_bf16=takes_bf16()) == "rounded"
    assert ("rounded" in described(RuntimeSettings(precision="int8"))) is is_rounded
    assert described(RuntimeSettings("openvino", "fp32", "cpu")) == "openvino fp32 on cpu"
