"""Networks as files of ONNX, written by torch."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from opendpr.model.config import NetworkConfig
from opendpr.model.directory import Weights
from opendpr.model.torch import load_weights, make_network
from opendpr.storage.atomic import replacing

INPUT_NAMES = ("ids", "types", "mask")
OPSET = 17


def write_onnx(config: NetworkConfig, weights: Weights, path: Path) -> None:
    """Write a network that takes three matrices of integers (B, L) of any size and gives what ours gives."""
    network = make_network(config).eval()
    load_weights(network, weights)
    sizes = {name: {0: "batch", 1: "tokens"} for name in INPUT_NAMES}
    sample = tuple(torch.ones((2, 5), dtype=torch.int64) for _ in INPUT_NAMES)
    with replacing(path) as temporary, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter used here needs no further package; torch prefers another
        torch.onnx.export(
            network,
            sample,
            str(temporary),
            input_names=list(INPUT_NAMES),
            output_names=["output"],
            dynamic_axes={**sizes, "output": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
