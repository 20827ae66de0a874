"""Vectors as short codes in inverted lists, by FAISS: a coarse search that names the rows to compare exactly.

A vector is coded by the nearest of 16 centroids in each of its pairs of numbers, four bits a pair, and filed
under the nearest of the lists' centroids ("IVF2048,PQ192x4fs" in FAISS's words: Jégou et al., PAMI 2011; André
et al., VLDB 2015).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from opendpr.errors import CorruptionError, ResourceError
from opendpr.storage.atomic import replacing
from opendpr.types import Scores, Vectors

FAISS_THREADS: int = faiss.omp_get_max_threads()
THREAD_QUESTIONS = 8
"""One more thread is started for each this many questions."""
LEAST_SAMPLE_VECTORS = 256
"""FAISS is trained on at least this many vectors; fewer are repeated."""

Rows = NDArray[np.int64]
"""Positions in an index, from 0."""


def factory(dim: int, lists: int) -> str:
    """FAISS's name of the index: each pair of numbers, or each number of an odd `dim`, is coded by four bits."""
    return f"IVF{lists},PQ{dim // 2 if dim % 2 == 0 else dim}x4fs"


def widen(halves: NDArray[np.float16]) -> NDArray[np.float32]:
    """Vectors (..., d) of 16-bit numbers as 32-bit ones: the same values, faster than numpy converts them."""
    faiss.omp_set_num_threads(1)  # more would only wait for those of numpy, and memory is not read faster
    flat = np.ascontiguousarray(halves).reshape(-1, halves.shape[-1])
    stored = faiss.ScalarQuantizer(flat.shape[1], faiss.ScalarQuantizer.QT_fp16)
    wide: NDArray[np.float32] = stored.decode(flat.view(np.uint8)).reshape(halves.shape)
    return wide


def _threads(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(FAISS_THREADS, thread_name_prefix=f"opendpr-{name}")


def _selector(allowed: NDArray[np.bool_] | None) -> faiss.IDSelector | None:
    """What limits a search to the allowed rows (n,); None for all."""
    return None if allowed is None else faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))


class Halves:
    """Vectors of 16-bit numbers in memory, compared with a question as fast as memory is read.

    Args:
        thread_vectors: one more thread compares a single question for each this many
    """

    def __init__(self, most: int, dim: int, *, thread_vectors: int) -> None:
        self._thread_vectors = thread_vectors
        self._index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self._index.codes.resize(most * self._index.code_size)
        held = faiss.rev_swig_ptr(self._index.codes.data(), self._index.codes.size())
        self.vectors: NDArray[np.float16] = held.view(np.float16).reshape(most, dim)
        """(most, d), to be written to; valid as long as this object exists."""

    def keep(self, rows: int) -> None:
        """Search the first `rows` only."""
        self._index.ntotal = rows

    def search(self, vectors: Vectors, k: int, allowed: NDArray[np.bool_] | None = None) -> tuple[Scores, Rows]:
        """The largest inner products (Q, k) with vectors (Q, d), and their rows, padded with -1.

        Args:
            allowed: (n,), true for the rows that may be found
        """
        questions, selector = np.ascontiguousarray(vectors), _selector(allowed)
        parts = min(FAISS_THREADS, self._index.ntotal // self._thread_vectors) if len(questions) == 1 else 1
        if parts <= 1:
            return self._search(questions, k, selector)
        borders = np.linspace(0, self._index.ntotal, parts + 1, dtype=np.int64).tolist()
        ranges = [faiss.IDSelectorRange(*border) for border in pairwise(borders)]
        selectors = ranges if selector is None else [faiss.IDSelectorAnd(part, selector) for part in ranges]
        results = list(self._threads.map(lambda own: self._search(questions, k, own), selectors))
        scores, rows = (np.concatenate(part, axis=1) for part in zip(*results, strict=True))
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)

    def _search(self, vectors: Vectors, k: int, selector: faiss.IDSelector | None) -> tuple[Scores, Rows]:
        faiss.omp_set_num_threads(max(1, min(FAISS_THREADS, len(vectors))))
        parameters = None if selector is None else faiss.SearchParameters(sel=selector)
        best: tuple[Scores, Rows] = self._index.search(vectors, k, params=parameters)
        return best

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """Threads that each compare a part of the vectors with a question; they end with the vectors."""
        return _threads("exact")


class Codes:
    """A trained FAISS index. It knows rows, in the order in which they were added."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def train(cls, sample: Vectors, lists: int) -> Codes:
        """An empty index of this many lists, for vectors like those of the sample (n, d), n >= lists."""
        dim = sample.shape[1]
        faiss.omp_set_num_threads(FAISS_THREADS)
        index = faiss.index_factory(dim, factory(dim, lists), faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1  # else FAISS warns on stdout
        if len(sample) < LEAST_SAMPLE_VECTORS:
            sample = np.resize(sample, (LEAST_SAMPLE_VECTORS, dim))
        index.train_q1(len(sample), faiss.swig_ptr(sample), False, index.metric_type)
        faiss.omp_set_num_threads(1)  # the code is trained on a few thousand pairs at a time: threads would only wait
        index.train(sample)
        return cls(index)

    @property
    def dim(self) -> int:
        return int(self._index.d)

    @property
    def lists(self) -> int:
        return int(self._index.nlist)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @cached_property
    def threads(self) -> ThreadPoolExecutor:
        """Threads that compare the vectors of what a search of many questions names; they end with the codes."""
        return _threads("ivf")

    def add(self, vectors: Vectors) -> None:
        """Add vectors (n, d) as the next n rows."""
        faiss.omp_set_num_threads(FAISS_THREADS)
        self._index.add(vectors)

    def search(self, vectors: Vectors, k: int, lists: int, allowed: NDArray[np.bool_] | None = None) -> Rows:
        """Rows (Q, k) whose codes fit best in the `lists` nearest lists, padded with -1.

        Args:
            allowed: (n,), true for the rows that may be found
        """
        faiss.omp_set_num_threads(max(1, min(FAISS_THREADS, len(vectors) // THREAD_QUESTIONS)))
        parameters = faiss.SearchParametersIVF(nprobe=lists, sel=_selector(allowed))
        rows: Rows = self._index.search(np.ascontiguousarray(vectors), k, params=parameters)[1]
        return rows

    def save(self, path: Path) -> None:
        """Write a file, which appears when it is complete.

        Raises:
            ResourceError: it cannot be written.
        """
        try:
            with replacing(path) as temporary:
                faiss.write_index(self._index, str(temporary))
        except RuntimeError as error:
            raise ResourceError(
                f"{path} cannot be written ({error}); free disk and run the same command again"
            ) from None

    @classmethod
    def load(cls, path: Path) -> Codes:
        """Read a file that `save` wrote. FAISS trusts what it reads: compare the file's checksum first.

        Raises:
            CorruptionError: it is no such index.
        """
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise CorruptionError(f"{path} cannot be read ({error})") from None
        if not isinstance(index, faiss.IndexIVFPQFastScan) or index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise CorruptionError(f"{path} is a {type(index).__name__}, not an index that opendpr wrote")
        return cls(index)
