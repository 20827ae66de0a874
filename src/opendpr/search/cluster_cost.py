"""What a collection costs on several machines: one holds it, workers encode it, servers hold its vectors for search.

Bytes follow from how PostgreSQL and pgvector's HNSW lay out rows; nothing of the size of a billion was tried.
"""

from __future__ import annotations

from dataclasses import dataclass

from opendpr.errors import ResourceError
from opendpr.search.cost import PROGRAM_BYTES, estimates
from opendpr.wording import counted, readable_size

PAGE_BYTES = 8_192 - 24
"""Room for rows on a page of PostgreSQL."""
LINE_POINTER_BYTES = 4
TABLE_ROW_BYTES = 24 + 8 + 8
"""A row's header, its number, and metadata of one small value."""
VECTOR_HEADER_BYTES = 8
NUMBER_INDEX_BYTES = 22
"""Bytes of the primary key for each row, with pages nine tenths full."""
HNSW_ELEMENT_BYTES = 72
"""What HNSW keeps beside a vector: where its rows and its neighbours are."""
HNSW_NEIGHBOURS_BYTES = 4 + 6 * (2 * 16 + 1)
"""Its neighbours: 32 at the lowest level, and on average one more above."""
SERVER_BYTES = 500_000_000
"""Memory of a server beside the index."""


@dataclass(frozen=True)
class ClusterEstimate:
    """What a collection costs on several machines, each with an equal share of vectors and of passages to encode."""

    machines: int
    collection_bytes: int
    """Disk of the one machine that holds the collection: texts, words and vectors."""
    worker_memory_bytes: int
    """Memory of a process that encodes, with a small model."""
    server_memory_bytes: int
    """Memory of each server: its HNSW index is read at random, so it should not come from the disk."""
    server_disk_bytes: int
    """Disk of each server."""
    encode_seconds: float
    """How long the workers take, if each encodes as fast as the rate says and the collection stores what they send."""


def cluster_estimate(passages: int, dim: int, machines: int, *, encoded_passages: float) -> ClusterEstimate:
    """What a collection costs on this many machines.

    Args:
        dim: size of a vector
        encoded_passages: how many passages one machine encodes in a second; infinite where none is to be encoded
    """
    exact, _ = estimates(passages, dim, recall=1.0)
    share = -(-passages // machines)
    vector = VECTOR_HEADER_BYTES + 2 * dim
    index = share * _paged(_aligned(HNSW_ELEMENT_BYTES + vector), _aligned(HNSW_NEIGHBOURS_BYTES))
    table = share * (_paged(_aligned(TABLE_ROW_BYTES + vector)) + NUMBER_INDEX_BYTES)
    return ClusterEstimate(
        machines=machines,
        collection_bytes=exact.disk_bytes,
        worker_memory_bytes=PROGRAM_BYTES,
        server_memory_bytes=SERVER_BYTES + index,
        server_disk_bytes=table + index,
        encode_seconds=passages / encoded_passages / machines,
    )


def check_fits(estimate: ClusterEstimate, passages: int, dim: int, memory_bytes: int) -> None:
    """Raises ResourceError, with how many machines would do, if a server's index does not fit into its memory."""
    if estimate.server_memory_bytes <= memory_bytes:
        return
    whole = cluster_estimate(passages, dim, 1, encoded_passages=1.0).server_memory_bytes - SERVER_BYTES
    room = memory_bytes - SERVER_BYTES
    needed = readable_size(estimate.server_memory_bytes)
    advice = f"take {-(-whole // room):,} machines or more, or" if room > 0 else "take"
    raise ResourceError(
        f"each of {counted(estimate.machines, 'machine')} needs {needed} of memory "
        f"for its share of {counted(passages, 'vector')}, and has {readable_size(memory_bytes)}; {advice} machines "
        "with more memory, given by --memory"
    )


def _paged(*items: int) -> int:
    """Bytes of items that are stored together, with what stays empty at the end of each page."""
    together = sum(item + LINE_POINTER_BYTES for item in items)
    on_a_page = PAGE_BYTES // together
    return (PAGE_BYTES + 24) // on_a_page if on_a_page else -(-together // PAGE_BYTES) * (PAGE_BYTES + 24)


def _aligned(size: int) -> int:
    return -(-size // 8) * 8
