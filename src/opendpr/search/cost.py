"""What a collection of a size costs: memory, disk and time for each kind of index, before any of it is built.

Bytes follow from how things are stored. Seconds follow from two rates of the machine, measured when a plan is made, and
from constants that were fitted to builds of 100,000 to 5,000,000 vectors; docs/scale.md lays plans beside measurements.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from opendpr.errors import ResourceError
from opendpr.wording import readable_size

SMALL = 50_000
"""Passages up to which every vector is scanned: there is nothing to gain."""
SAMPLE = 48
"""Vectors that an inverted list is trained on."""
ITERATIONS = 10
"""Of k-means over the lists' centroids."""
PROGRAM_BYTES = 290_000_000
"""What Python, the packages and a small model take before there is any vector."""
SEARCH_BYTES = 60_000_000
"""Of pages of the store that SQLite keeps, and of blocks of vectors at work."""
TEXT_BYTES = 1_030
"""Of a passage of 100 words in the store, with its document and the index of its words."""
PAGE_BYTES = 4_096
"""Of the store; a vector does not cross the end of a page if it fits into one."""
ROW_BYTES = 20
"""Of a vector's row beside the vector."""
PADDING = 16
"""Codes that fill up a list on average, as they are laid out in blocks of 32."""
GROWTH = 1.4
"""Room in lists that grow by doubling, over what they hold."""
WORK_BYTES = 390_000_000
"""Of batches, questions and words while an index is built, and of the network that encodes the questions."""
WORDS_SECONDS, COPY_SECONDS, CODE_SECONDS, COMPARE_SECONDS = 50e-6, 3e-6, 6e-6, 5e-6
"""For a passage: its words indexed, its vector copied, coded, compared with the questions that choose the effort."""
EFFORT_SECONDS = 3.0
"""To try how far a search has to go, beside the comparison."""
SHARE = 0.8
"""Of the speed of a large matrix product, in finding the nearest centroids."""

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

Kind = Literal["exact", "ivf"]


class Machine(NamedTuple):
    """Rates of a machine."""

    flops: float
    """Of a matrix product in fp32, a second."""
    passages: float
    """Encoded by the model, a second."""


UNTRIED = Machine(math.inf, math.inf)
"""Where seconds do not matter."""


@dataclass(frozen=True)
class Estimate:
    """What one kind of index costs."""

    kind: Kind
    memory_bytes: int
    """To search, without pages of mapped files."""
    build_memory_bytes: int
    disk_bytes: int
    """Of the whole collection."""
    index_bytes: int
    """Of that, the files of the index; while another is built in their place, both are there."""
    encode_seconds: float
    build_seconds: float
    """Of `opendpr optimize`: words and vectors."""
    recall: float
    """Of the best passages; what an approximate index is built to reach."""

    @property
    def needed_bytes(self) -> int:
        """Memory for all of its life."""
        return max(self.memory_bytes, self.build_memory_bytes)


def ivf_lists(rows: int) -> int:
    """Inverted lists for this many vectors: the power of two next to twice their root, so 2,048 for a million."""
    return max(1, min(rows, 1 << round(math.log2(2 * math.sqrt(max(rows, 1))))))


def estimates(passages: int, dim: int, machine: Machine, *, to_encode: int, recall: float) -> list[Estimate]:
    """What each kind of index costs for this many passages.

    Args:
        to_encode: passages that have no vector yet
        recall: that an approximate index must reach
    """
    return [
        _exact(passages, dim, machine, to_encode),
        _ivf(passages, dim, machine, to_encode, recall),
    ]


def _store_bytes(passages: int, dim: int) -> int:
    row = 2 * dim + ROW_BYTES
    a_page = PAGE_BYTES // row
    return passages * (TEXT_BYTES + (PAGE_BYTES // a_page if a_page else -(-row // PAGE_BYTES) * PAGE_BYTES))


def _exact(passages: int, dim: int, machine: Machine, to_encode: int) -> Estimate:
    memory = PROGRAM_BYTES + SEARCH_BYTES + passages * ((4 if passages <= SMALL else 2) * dim + 8)
    return Estimate(
        kind="exact",
        memory_bytes=memory,
        build_memory_bytes=memory,
        disk_bytes=_store_bytes(passages, dim),
        index_bytes=0,
        encode_seconds=to_encode / machine.passages,
        build_seconds=passages * WORDS_SECONDS,
        recall=1.0,
    )


def _ivf(passages: int, dim: int, machine: Machine, to_encode: int, recall: float) -> Estimate:
    lists, code = ivf_lists(passages), dim // 4 if dim % 2 == 0 else -(-dim // 2)
    codes = passages * (code + 8) + lists * PADDING * code
    centroids = lists * dim * 4
    index = codes + centroids + passages * (2 * dim + 8)
    sample = min(passages, SAMPLE * lists)
    products = sample * lists * dim * ITERATIONS * 2 + passages * lists * dim * 2
    return Estimate(
        kind="ivf",
        memory_bytes=PROGRAM_BYTES + SEARCH_BYTES + codes + centroids + passages * 9,
        build_memory_bytes=PROGRAM_BYTES + max(sample * dim * 6, int(GROWTH * codes) + passages * 8 + WORK_BYTES),
        disk_bytes=_store_bytes(passages, dim) + index,
        index_bytes=index,
        encode_seconds=to_encode / machine.passages,
        build_seconds=passages * (WORDS_SECONDS + COPY_SECONDS + CODE_SECONDS + COMPARE_SECONDS)
        + products / (SHARE * machine.flops)
        + EFFORT_SECONDS,
        recall=recall,
    )


def chosen(offers: list[Estimate], passages: int, memory_bytes: int, kind: Kind | None = None) -> Estimate:
    """The kind to take: that asked for; or else exact for a small collection, the approximate one for others.

    Raises:
        ResourceError: it does not fit into the memory.
    """
    by_kind = {offer.kind: offer for offer in offers}
    offer = by_kind[kind or ("exact" if passages <= SMALL else "ivf")]
    if offer.needed_bytes > memory_bytes:
        needed = ", ".join(f"{kind} {readable_size(offered.needed_bytes)}" for kind, offered in by_kind.items())
        raise ResourceError(
            f"{passages:,} passages do not fit into {readable_size(memory_bytes)} of memory ({needed} are needed); "
            "give more memory with --memory, or a machine that has it, or divide the passages between collections"
        )
    return offer


def machine_memory(limits: Sequence[Path] = LIMITS) -> int:
    """Bytes of memory that this machine, or the container that this is, may use.

    Args:
        limits: files in which the kernel says what a container may use; those that say a number count
    """
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in limits:
        with suppress(OSError, ValueError):  # there is no such file, or no limit
            found.append(int(path.read_text(encoding="ascii")))
    return min(found)
