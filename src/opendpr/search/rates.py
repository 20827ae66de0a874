"""Rates of this machine, for `opendpr plan`: measured in a moment."""

from __future__ import annotations

import math
import time

import numpy as np

from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.cost import Machine
from opendpr.types import Passage

PASSAGE_WORDS = 100
BATCH_PASSAGES = 32
"""Passages encoded between two looks at the clock."""
TRIAL_SECONDS = 1.0
"""How long passages are encoded."""
MATRIX_SIZE, MATRIX_PRODUCTS = 1_024, 5
"""Rows of the matrices, and products of which the fastest counts."""
TEXT = (
    "In the spring of that year the company that had built the first bridge over the river began to plan another, "
    "which was to carry the railway from the harbour to the new market on the other bank. "
)


def measure_machine(model: Model | None, runtime: RuntimeSettings) -> Machine:
    """How fast this machine is, with a model; None where nothing is to be encoded."""
    return Machine(matrix_flops(), encoding_rate(BertEncoder(model, runtime)) if model else math.inf)


def encoding_rate(encoder: BertEncoder) -> float:
    """Passages encoded in a second."""
    words = (TEXT * PASSAGE_WORDS).split()
    passages = [Passage(n, "", "", " ".join(words[n : n + PASSAGE_WORDS]), 0) for n in range(BATCH_PASSAGES)]
    encoder.encode_passages(passages)  # loads the network
    started, encoded = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < TRIAL_SECONDS:
        encoder.encode_passages(passages)
        encoded += len(passages)
    return encoded / seconds


def matrix_flops() -> float:
    """Operations a second of a matrix product in fp32."""
    matrix, best = np.ones((MATRIX_SIZE, MATRIX_SIZE), np.float32), float("inf")
    for _ in range(MATRIX_PRODUCTS):
        started = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - started)
    return 2 * MATRIX_SIZE**3 / best
