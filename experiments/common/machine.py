"""The machine a figure was measured on, and its own peak, measured in the same run."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable

import numpy as np


def describe() -> str:
    """Processor, cores, Python."""
    name = platform.processor() or "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def memory_megabytes() -> float:
    """Memory of this process alone, without pages of files (Linux)."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith("RssAnon:"))


def gemm_gflops(dtype: str, size: int = 2048, repeats: int = 5) -> float:
    """The best GFLOP/s of a square matrix product, of numpy (fp32), torch and OpenVINO."""
    best = max(_torch(dtype, size, repeats), _openvino(dtype, size, repeats))
    if dtype == "fp32":
        a = np.ones((size, size), np.float32)
        best = max(best, _rate(lambda: a @ a, size, repeats))
    return best


def _rate(product: Callable[[], object], size: int, repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds) / 1e9


def _torch(dtype: str, size: int, repeats: int) -> float:
    import torch

    a = torch.ones(size, size, dtype={"fp32": torch.float32, "bf16": torch.bfloat16}[dtype])
    return _rate(lambda: a @ a, size, repeats)


def _openvino(dtype: str, size: int, repeats: int) -> float:
    import openvino as ov
    from openvino import opset13 as op

    x = op.parameter([size, size], ov.Type.f32)
    weight = op.constant(np.ones((size, size), np.float32))
    model = ov.Model([op.matmul(x, weight, False, True)], [x], "gemm")
    hint = {"INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[dtype], "PERFORMANCE_HINT": "LATENCY"}
    request = ov.Core().compile_model(model, "CPU", hint).create_infer_request()
    a = np.ones((size, size), np.float32)
    request.infer([a])
    return _rate(lambda: request.infer([a], share_inputs=True), size, repeats)
