"""Vectors for figures at scale: real ones of passages, and as many copies with noise as it takes.

A copy has, on average, the cosine `NOISED_COSINE` with its original. Every report says how many are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.data import Data
from opendpr.collection import open_collection
from opendpr.iteration import batched
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.types import Vectors

NOISED_COSINE = 0.8
BLOCK_VECTORS = 20_000
ENCODED_PASSAGES = 512
"""Encoded at once."""


class RealVectors:
    """Vectors of passages and questions by a model, encoded once and kept in `work`."""

    def __init__(self, data: Data, work: Path, model: str) -> None:
        self._data, self._work, self._model = data, work, find_model(model)

    def passages(self, count: int, collection: Path | None = None) -> NDArray[np.float16]:
        """(n, d): those of a collection, or of the first passages of a pool."""
        if collection is not None:
            with open_collection(collection) as opened:
                return np.concatenate([vectors for _, vectors in opened.vectors()])
        path = self._path("passages", count)
        if not path.exists():
            encoder, passages = BertEncoder(self._model), self._data.pool_passages("P150", count)
            pieces = [encoder.encode_passages(batch) for batch in batched(passages, ENCODED_PASSAGES)]
            np.save(path, np.concatenate(pieces).astype(np.float16))
        return np.asarray(np.load(path))

    def questions(self, count: int) -> Vectors:
        """(Q, d): of SQuAD's questions."""
        path = self._path("questions", count)
        if not path.exists():
            texts = [record["question"] for record in self._data.questions("squad", "fit")][:count]
            np.save(path, BertEncoder(self._model).encode_questions(texts).astype(np.float32))
        return np.asarray(np.load(path))

    def _path(self, kind: str, count: int) -> Path:
        return self._work / f"{kind}-{self._model.fingerprint[:8]}-{count}.npy"


def noised(base: NDArray[np.float16], rows: int, seed: int, first: int = 0) -> Iterator[NDArray[np.float16]]:
    """`rows` vectors (n, d) in blocks, the same for the same seed: the real ones, then copies of them in turn.

    Args:
        first: how many of the real ones are left out
    """
    generator, dim = np.random.default_rng(seed), base.shape[1]
    # A unit vector plus noise of length t has the cosine 1 / sqrt(1 + t^2) with it.
    length = np.sqrt(1 / NOISED_COSINE**2 - 1)
    for begin in range(first, rows, BLOCK_VECTORS):
        places = np.arange(begin, min(begin + BLOCK_VECTORS, rows))
        block = base[places % len(base)].astype(np.float32)
        norms = np.linalg.norm(block, axis=1, keepdims=True)
        noise = generator.standard_normal(block.shape, dtype=np.float32) * (length / np.sqrt(dim)) * norms
        copies = block + noise
        copies *= norms / np.linalg.norm(copies, axis=1, keepdims=True)
        yield np.where((places < len(base))[:, None], block, copies).astype(np.float16)


def write_vectors(path: Path, base: NDArray[np.float16], rows: int, seed: int) -> NDArray[np.float16]:
    """A file of `rows` vectors, mapped to memory (n, d)."""
    size = rows * base.shape[1] * 2
    if not path.exists() or path.stat().st_size != size:
        with path.open("wb") as file:
            for block in noised(base, rows, seed):
                file.write(block.tobytes())
    return np.memmap(path, np.float16, "r", shape=(rows, base.shape[1])).view(np.ndarray)
