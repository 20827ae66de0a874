"""Write the table of `docs/scale.md` by the formulas of `opendpr plan`; with --check, only say if it is up to date."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from opendpr.search.cost import estimates

PATH = Path(__file__).parent / "scale.md"
PASSAGES = (100_000, 1_000_000, 5_000_000, 10_000_000, 21_000_000)
DIMENSIONS = (384, 768)
RECALL = 0.95
"""What an index is built to reach; no size depends on it."""
HEAD = (
    "| passages | numbers a vector | memory: exact | memory: ivf | to build ivf | disk of the index | disk in all |\n"
    "|---|---|---|---|---|---|---|\n"
)
BLOCK = re.compile(r"(?<=<!-- plan -->\n).*?(?=<!-- end -->)", re.DOTALL)


def row(passages: int, dim: int) -> str:
    """A line of the table, in GB."""
    exact, ivf = estimates(passages, dim, recall=RECALL)
    sizes = (exact.memory_bytes, ivf.memory_bytes, ivf.build_memory_bytes, ivf.index_bytes, ivf.disk_bytes)
    return " | ".join([f"| {passages:,}", str(dim), *(f"{size / 1e9:.2f}" for size in sizes)]) + " |\n"


def text() -> str:
    """The whole page."""
    table = HEAD + "".join(row(passages, dim) for passages in PASSAGES for dim in DIMENSIONS)
    return BLOCK.sub(lambda match: table, PATH.read_text(encoding="utf-8"))


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PATH.read_text(encoding="utf-8") == text() else "docs/scale.md is out of date; run make docs")
    PATH.write_text(text(), encoding="utf-8")
