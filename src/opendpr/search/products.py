"""The one inner product by which passages are scored, whatever found them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opendpr.types import Scores


def products(stored: NDArray[np.float32], vector: NDArray[np.float32]) -> Scores:
    """(n,) inner products of stored vectors (n, d) with one vector (d,).

    A product is the same to the last bit whichever others are computed beside it. A matrix product's is not: it sums in
    an order that depends on the shape.
    """
    scores: Scores = np.einsum("nd,d->n", stored, vector)
    return scores
