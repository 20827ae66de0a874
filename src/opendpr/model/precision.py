"""What a precision means on this processor (docs/decisions/0001-precision-by-processor.md)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opendpr.model.processor import gains_by_bf16, has_matrix_units, this_cpu_info

Precision = Literal["fp32", "bf16", "int8"]
WeightForm = Literal["whole", "int8", "rounded"]
"""How a network has the weights of its layers: as stored, in int8, or as stored but rounded to the steps of int8."""


def default_precision(*, takes_bf16: bool) -> Precision:
    """bf16 where the runtime takes it and the processor gains by it, else fp32; never decided by a clock."""
    return "bf16" if takes_bf16 and gains_by_bf16(this_cpu_info()) else "fp32"


def weight_form(precision: Precision, *, takes_bf16: bool, cpu_info: str | None = None) -> WeightForm:
    """What int8 is: with matrix units rounded weights, computed with in bf16, else weights and activations in int8.

    The first is twice as fast there as the second, as fast as bf16, and its results are nearer to fp32.

    Args:
        cpu_info: of the processor, as Linux lists it in `/proc/cpuinfo`; this one's without
    """
    if precision != "int8":
        return "whole"
    return "rounded" if takes_bf16 and has_matrix_units(this_cpu_info() if cpu_info is None else cpu_info) else "int8"


def int8_steps(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """The steps (m, n), -127 to 127, and the scales (m, 1) of rows whose product is nearest to a matrix (m, n)."""
    scales = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
    return np.rint(matrix / scales).astype(np.int8), scales
