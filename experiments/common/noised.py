"""Vectors for figures at scale: real ones of passages, and as many copies with noise as it takes.

A copy has, on average, the cosine `COSINE` with its original. What is real is said in every report.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.data import pool_passages, questions
from opendpr.collection import open_collection
from opendpr.iteration import batched
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Vectors

COSINE = 0.8
BLOCK = 20_000
ENCODED = 512


def base_vectors(work: Path, model: str, count: int, collection: Path | None) -> NDArray[np.float16]:
    """(n, d): those of a collection, or of the first passages of a pool, encoded once and kept in `work`."""
    if collection is not None:
        with open_collection(collection) as opened:
            return np.concatenate([vectors for _, vectors in opened.vectors()])
    path = work / f"base-{model}-{count}.npy"
    if not path.exists():
        encoder = BertEncoder(find_model(model), RuntimeSettings())
        pieces = [encoder.encode_passages(some) for some in batched(islice(pool_passages("P150"), count), ENCODED)]
        work.mkdir(parents=True, exist_ok=True)
        np.save(path, np.concatenate(pieces).astype(np.float16))
    return np.load(path)


def question_vectors(work: Path, model: str, count: int) -> Vectors:
    """(Q, d): real questions, encoded once and kept in `work`."""
    path = work / f"questions-{model}-{count}.npy"
    if not path.exists():
        encoder = BertEncoder(find_model(model), RuntimeSettings())
        asked = [record["question"] for record in questions("squad", "fit")][:count]
        work.mkdir(parents=True, exist_ok=True)
        np.save(path, encoder.encode_questions(asked).astype(np.float32))
    return np.load(path)


def noised(base: NDArray[np.float16], rows: int, seed: int, first: int = 0) -> Iterator[NDArray[np.float16]]:
    """`rows` vectors (n, d) in blocks, the same for the same seed: the real ones, then copies of them in turn.

    Args:
        first: how many of the real ones are left out
    """
    generator, dim = np.random.default_rng(seed), base.shape[1]
    # A unit vector plus noise of length t has the cosine 1 / sqrt(1 + t^2) with it.
    length = np.sqrt(1 / COSINE**2 - 1)
    for begin in range(first, rows, BLOCK):
        places = np.arange(begin, min(begin + BLOCK, rows))
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
