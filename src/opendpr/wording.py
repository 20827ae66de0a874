"""Amounts as people read them: `1 passage`, `2,000 passages`, `16.6 GB`."""

from __future__ import annotations

SIZE_UNITS = ("B", "kB", "MB", "GB", "TB")


def counted(count: int, noun: str) -> str:
    """A number with its noun, in the plural where it needs one: `1 passage`, `2,000 passages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def readable_size(bytes: int) -> str:
    """A number of bytes in the unit that suits it: `740 B`, `1.2 MB`, `16.6 GB`."""
    size, unit = float(bytes), SIZE_UNITS[0]
    for larger in SIZE_UNITS[1:]:
        if size < 999.95:
            break
        size, unit = size / 1_000, larger
    return f"{size:,.0f} {unit}" if unit == SIZE_UNITS[0] else f"{size:,.1f} {unit}"
