"""What a collection costs in memory and disk with each kind of index, before any of it is built.

Bytes follow from how things are stored; docs/scale.md compares plans with measurements. Time is in `rates.py`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opendpr.errors import ResourceError
from opendpr.search.settings import SCANNED_PASSAGES
from opendpr.wording import counted, readable_size

LIST_SAMPLE_VECTORS = 48
"""Vectors that each inverted list is trained on."""
PROGRAM_BYTES = 290_000_000
"""Memory of Python, the packages and a small model before there is any vector."""
SEARCH_BYTES = 60_000_000
"""Memory of the pages of the store that SQLite keeps, and of the blocks of vectors at work."""
PASSAGE_TEXT_BYTES = 1_030
"""Disk of a passage of 100 words in the store, with its document and the index of its words."""
STORE_PAGE_BYTES = 4_096
"""Size of a page of the store; a vector that fits into one does not cross its end."""
VECTOR_ROW_BYTES = 20
"""Disk of a vector's row beside the vector."""
LIST_PADDING_CODES = 16
"""Codes that fill up a list on average, as they are laid out in blocks of 32."""
LIST_GROWTH = 1.4
"""Room in lists that grow by doubling, over what they hold."""
BUILD_WORK_BYTES = 390_000_000
"""Memory of batches, questions and words while an index is built, and of the network that encodes the questions."""

MEMORY_LIMIT_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

Kind = Literal["exact", "ivf"]


@dataclass(frozen=True)
class Estimate:
    """What one kind of index costs in bytes, and what it finds."""

    kind: Kind
    memory_bytes: int
    """Memory of a search, without pages of mapped files."""
    build_memory_bytes: int
    """Memory of the process that builds it."""
    disk_bytes: int
    """Size of the whole collection."""
    index_bytes: int
    """The part of that which is the index's files; while another is built in their place, both are there."""
    recall: float
    """Share of the best passages that are found: what an approximate index is built to reach."""

    @property
    def needed_bytes(self) -> int:
        """Memory that both building and searching fit into."""
        return max(self.memory_bytes, self.build_memory_bytes)


def ivf_lists(rows: int) -> int:
    """Inverted lists for this many vectors: the power of two next to twice their root, so 2,048 for a million."""
    return max(1, min(rows, 1 << round(math.log2(2 * math.sqrt(max(rows, 1))))))


def estimates(passages: int, dim: int, *, recall: float) -> list[Estimate]:
    """What each kind of index costs for this many passages.

    Args:
        dim: size of a vector
        recall: what an approximate index must reach
    """
    return [_exact(passages, dim), _ivf(passages, dim, recall)]


def _store_bytes(passages: int, dim: int) -> int:
    row = 2 * dim + VECTOR_ROW_BYTES
    rows_a_page = STORE_PAGE_BYTES // row
    vector = STORE_PAGE_BYTES // rows_a_page if rows_a_page else -(-row // STORE_PAGE_BYTES) * STORE_PAGE_BYTES
    return passages * (PASSAGE_TEXT_BYTES + vector)


def _exact(passages: int, dim: int) -> Estimate:
    number_bytes = 4 if passages <= SCANNED_PASSAGES else 2
    memory = PROGRAM_BYTES + SEARCH_BYTES + passages * (number_bytes * dim + 8)
    return Estimate(
        kind="exact",
        memory_bytes=memory,
        build_memory_bytes=memory,
        disk_bytes=_store_bytes(passages, dim),
        index_bytes=0,
        recall=1.0,
    )


def _ivf(passages: int, dim: int, recall: float) -> Estimate:
    lists, code = ivf_lists(passages), dim // 4 if dim % 2 == 0 else -(-dim // 2)
    codes = passages * (code + 8) + lists * LIST_PADDING_CODES * code
    centroids = lists * dim * 4
    index = codes + centroids + passages * (2 * dim + 8)
    sample = min(passages, LIST_SAMPLE_VECTORS * lists) * dim * 6
    coding = int(LIST_GROWTH * codes) + passages * 8 + BUILD_WORK_BYTES
    return Estimate(
        kind="ivf",
        memory_bytes=PROGRAM_BYTES + SEARCH_BYTES + codes + centroids + passages * 9,
        build_memory_bytes=PROGRAM_BYTES + max(sample, coding),
        disk_bytes=_store_bytes(passages, dim) + index,
        index_bytes=index,
        recall=recall,
    )


def chosen(offers: list[Estimate], passages: int, memory_bytes: int, kind: Kind | None = None) -> Estimate:
    """The kind to take: the one asked for, else exact for a small collection and approximate for others.

    Raises:
        ResourceError: it does not fit into memory.
    """
    by_kind = {offer.kind: offer for offer in offers}
    offer = by_kind[kind or ("exact" if passages <= SCANNED_PASSAGES else "ivf")]
    if offer.needed_bytes > memory_bytes:
        needed = ", ".join(f"{kind} {readable_size(offered.needed_bytes)}" for kind, offered in by_kind.items())
        verb = "does" if passages == 1 else "do"
        raise ResourceError(
            f"{counted(passages, 'passage')} {verb} not fit into {readable_size(memory_bytes)} of memory ({needed} are "
            "needed); "
            "give more memory with --memory, or a machine that has it, or divide the passages between collections"
        )
    return offer


def machine_memory(limits: Sequence[Path] = MEMORY_LIMIT_FILES) -> int:
    """Bytes of memory that this machine, or the container that this runs in, may use.

    Args:
        limits: files in which the kernel says what a container may use; those that say a number count
    """
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in limits:
        with suppress(OSError, ValueError):  # there is no such file, or no limit
            sizes.append(int(path.read_text(encoding="ascii")))
    return min(sizes)
