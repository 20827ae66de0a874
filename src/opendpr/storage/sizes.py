"""Sizes as people read them."""

from __future__ import annotations

UNITS = ("B", "kB", "MB", "GB", "TB")


def readable_size(bytes: int) -> str:
    """A number of bytes in the unit that suits it: `740 B`, `1.2 MB`, `16.6 GB`."""
    size, unit = float(bytes), UNITS[0]
    for larger in UNITS[1:]:
        if size < 999.95:
            break
        size, unit = size / 1_000, larger
    return f"{size:,.0f} {unit}" if unit == UNITS[0] else f"{size:,.1f} {unit}"
