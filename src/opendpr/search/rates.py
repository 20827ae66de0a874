"""Rates of this machine, for `opendpr plan`: tried out in a moment."""

from __future__ import annotations

import time

import numpy as np

from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.cost import Machine
from opendpr.types import Passage

WORDS = 100
"""Of a passage."""
PASSAGES = 32
"""Encoded between two looks at the clock."""
SECONDS = 1.0
"""For which passages are encoded."""
SIZE, REPEATS = 1_024, 5
"""Of the matrices, and products of which the fastest counts."""
TEXT = (
    "In the spring of that year the company that had built the first bridge over the river began to plan another, "
    "which was to carry the railway from the harbour to the new market on the other bank. "
)


def try_out(model: Model, runtime: RuntimeSettings) -> tuple[int, Machine]:
    """The size d of the model's vectors, and how fast this machine is with it."""
    encoder = BertEncoder(model, runtime)
    words = (TEXT * WORDS).split()
    some = [Passage(n, "", "", " ".join(words[n : n + WORDS]), 0) for n in range(PASSAGES)]
    encoder.encode_passages(some)  # brings the network to memory
    started, encoded = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < SECONDS:
        encoder.encode_passages(some)
        encoded += len(some)
    return encoder.dim, Machine(matrix_flops(), encoded / seconds)


def matrix_flops() -> float:
    """Operations a second of a matrix product in fp32."""
    matrix, best = np.ones((SIZE, SIZE), np.float32), float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - started)
    return 2 * SIZE**3 / best
