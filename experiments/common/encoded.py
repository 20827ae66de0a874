"""The vectors of a collection, read while another process may write them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opendpr.collection import open_collection


def encoded_so_far(directory: Path) -> int:
    """How many vectors are stored, those of an unfinished `encode` too."""
    database = directory / "collection.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'vectors_%'")]
        return sum(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables)


def stored_vectors(directory: Path) -> NDArray[np.float16]:
    """All vectors (n, d), in order of passages."""
    with open_collection(directory) as collection:
        return np.concatenate([vectors for _, vectors in collection.vectors()])
