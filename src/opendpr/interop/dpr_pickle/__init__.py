"""Embeddings that DPR released: one pickle a shard, a list of (passage id, vector). Pickles are never written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import InputError
from opendpr.interop.dpr_pickle.arrays import Array
from opendpr.interop.dpr_pickle.interpreter import Interpreter, Limits
from opendpr.storage.compression import READ_ERRORS, open_binary, reason


def read_embeddings(path: Path, limits: Limits = Limits()) -> Iterator[tuple[str, NDArray[np.floating[Any]]]]:
    """Yield the id and vector (d,) of each record of a shard.

    Args:
        limits: how much of the shard may be held in memory

    Raises:
        InputError: the file cannot be read, is no list of (id, vector), or asks for anything but numbers, strings
            and arrays of numbers; the message names it.
    """
    try:
        with open_binary(path) as file:
            for number, record in enumerate(Interpreter(path, file, limits=limits).records(), start=1):
                yield _embedding(record, f"{path}: record {number:,}")
    except READ_ERRORS as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from None


def _embedding(record: object, place: str) -> tuple[str, NDArray[np.floating[Any]]]:
    if not isinstance(record, tuple | list) or len(record) != 2:
        raise InputError(f"{place}: expected (id, vector), found {type(record).__name__}")
    id, vector = record
    if isinstance(vector, Array):
        vector = vector.values
    elif isinstance(vector, list | tuple) and vector and all(isinstance(value, float) for value in vector):
        vector = np.array(vector, dtype=np.float32)
    if isinstance(id, bytes):
        id = id.decode("utf-8", "replace")
    if not isinstance(id, str | int) or isinstance(id, bool) or id == "" or not str(id).isprintable():
        raise InputError(f"{place}: expected the id to be a string or an integer, found {type(id).__name__}")
    if not isinstance(vector, np.ndarray) or vector.ndim != 1 or vector.dtype.kind != "f" or not len(vector):
        shape = f"array of {vector.dtype} {vector.shape}" if isinstance(vector, np.ndarray) else type(vector).__name__
        raise InputError(f"{place} ({id!s:.60}): expected a vector of floating point numbers, found {shape}")
    return str(id), vector
