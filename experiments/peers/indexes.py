"""Other indexes for the same vectors, each as its own users write it. What is not installed is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.search.cost import LIST_SAMPLE_VECTORS, ivf_lists
from opendpr.search.faiss import Codes
from opendpr.search.ivf import Effort, IvfIndex
from opendpr.types import Numbers, Vectors

BLOCK_VECTORS = 50_000
Search = Callable[[Vectors, int, Any], Numbers]
"""Called with questions (Q, d), k and an effort; the rows found (Q, k)."""
Mapped = NDArray[np.float16]
Build = Callable[[Mapped, Path], None]
"""From vectors (n, d) to a file or directory."""
Open = Callable[[Mapped, Path], Search]


class System(NamedTuple):
    """An index: how it is built, opened and searched."""

    name: str
    package: str
    build: Build
    open: Open
    efforts: Sequence[Any]


def blocks(vectors: Mapped) -> Iterator[Vectors]:
    """The vectors in pieces of 32-bit numbers."""
    for first in range(0, len(vectors), BLOCK_VECTORS):
        yield vectors[first : first + BLOCK_VECTORS].astype(np.float32)


def sample(vectors: Mapped, count: int) -> Vectors:
    """Random vectors, in their order."""
    rows = np.random.default_rng(0).choice(len(vectors), min(len(vectors), count), replace=False)
    return vectors[np.sort(rows)].astype(np.float32)


def build_ours(vectors: Mapped, path: Path) -> None:
    """Build the index of opendpr."""
    lists = ivf_lists(len(vectors))
    codes = Codes.train(sample(vectors, LIST_SAMPLE_VECTORS * lists), lists)
    for block in blocks(vectors):
        codes.add(block)
    codes.save(path)


def open_ours(vectors: Mapped, path: Path) -> Search:
    """Open the index of opendpr."""
    index = IvfIndex(Codes.load(path), np.arange(len(vectors)), vectors, Effort(1, 1))
    return lambda questions, k, effort: index.with_effort(Effort(*effort)).search(questions, k).numbers


def faiss_builder(factory: Callable[[int], str], prepare: Callable[[Any], None] = lambda index: None) -> Build:
    """Builds what a factory string of FAISS says."""

    def build(vectors: Mapped, path: Path) -> None:
        import faiss

        index = faiss.index_factory(vectors.shape[1], factory(len(vectors)), faiss.METRIC_INNER_PRODUCT)
        prepare(index)
        index.train(sample(vectors, 100_000))
        for block in blocks(vectors):
            index.add(block)
        faiss.write_index(index, str(path))

    return build


def open_faiss(set_effort: Callable[[Any, Any], None]) -> Open:
    """Opens an index of FAISS whose effort is set by `set_effort`."""

    def open(vectors: Mapped, path: Path) -> Search:
        import faiss

        index = faiss.read_index(str(path))

        def search(questions: Vectors, k: int, effort: Any) -> Numbers:  # noqa: ANN401
            set_effort(index, effort)
            return np.asarray(index.search(questions, k)[1])

        return search

    return open


def build_usearch(vectors: Mapped, path: Path) -> None:
    """Build an index of usearch."""
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="f16", connectivity=32, expansion_add=80)
    for number, block in enumerate(blocks(vectors)):
        index.add(np.arange(number * BLOCK_VECTORS, number * BLOCK_VECTORS + len(block)), block)
    index.save(str(path))


def open_usearch(vectors: Mapped, path: Path) -> Search:
    """Open an index of usearch."""
    from usearch.index import Index

    index = Index.restore(str(path))

    def search(questions: Vectors, k: int, effort: Any) -> Numbers:  # noqa: ANN401
        index.expansion_search = effort
        keys = index.search(questions, k, threads=1 if len(questions) == 1 else 0).keys
        return np.asarray(keys, np.int64).reshape(len(questions), -1)

    return search


def build_hnswlib(vectors: Mapped, path: Path) -> None:
    """Build an index of hnswlib."""
    import hnswlib

    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), ef_construction=80, M=32)
    for block in blocks(vectors):
        index.add_items(block)
    index.save_index(str(path))


def open_hnswlib(vectors: Mapped, path: Path) -> Search:
    """Open an index of hnswlib."""
    import hnswlib

    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.load_index(str(path))

    def search(questions: Vectors, k: int, effort: Any) -> Numbers:  # noqa: ANN401
        index.set_ef(effort)
        labels = index.knn_query(questions, k, num_threads=1 if len(questions) == 1 else -1)[0]
        return np.asarray(labels, np.int64)

    return search


def build_scann(vectors: Mapped, path: Path) -> None:
    """Build an index of scann."""
    import scann

    everything = np.concatenate(list(blocks(vectors)))
    builder = scann.scann_ops_pybind.builder(everything, 100, "dot_product")
    lists = ivf_lists(len(vectors))
    builder = builder.tree(num_leaves=lists, num_leaves_to_search=64, training_sample_size=LIST_SAMPLE_VECTORS * lists)
    index = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(400).build()
    path.mkdir()
    index.serialize(str(path))


def open_scann(vectors: Mapped, path: Path) -> Search:
    """Open an index of scann."""
    import scann

    index = scann.scann_ops_pybind.load_searcher(str(path))

    def search(questions: Vectors, k: int, effort: Any) -> Numbers:  # noqa: ANN401
        settings = {"final_num_neighbors": k, "pre_reorder_num_neighbors": 4 * k, "leaves_to_search": effort}
        if len(questions) == 1:
            return np.asarray(index.search(questions[0], **settings)[0], np.int64)[None]
        return np.asarray(index.search_batched_parallel(questions, **settings)[0], np.int64)

    return search


def ef_construction(index: Any) -> None:  # noqa: ANN401  # FAISS has no type for it
    """The effort of building a graph."""
    index.hnsw.efConstruction = 80


SYSTEMS = [
    System(
        "opendpr",
        "faiss",
        build_ours,
        open_ours,
        [(lists, factor) for factor in (4, 8) for lists in (16, 32, 64, 96, 128, 256)],
    ),
    System(
        "FAISS IVF,PQ64",
        "faiss",
        faiss_builder(lambda n: f"IVF{2 * ivf_lists(n)},PQ64"),
        open_faiss(lambda index, effort: setattr(index, "nprobe", effort)),
        [16, 64, 256],
    ),
    System(
        "FAISS HNSW32",
        "faiss",
        faiss_builder(lambda n: "HNSW32", ef_construction),
        open_faiss(lambda index, effort: setattr(index.hnsw, "efSearch", effort)),
        [100, 200, 400],
    ),
    System("usearch fp16", "usearch", build_usearch, open_usearch, [100, 200, 400]),
    System("hnswlib", "hnswlib", build_hnswlib, open_hnswlib, [100, 200, 400]),
    System("ScaNN", "scann", build_scann, open_scann, [32, 64, 128, 256]),
]


def installed() -> list[System]:
    """The systems whose packages are here."""
    return [system for system in SYSTEMS if find_spec(system.package)]
