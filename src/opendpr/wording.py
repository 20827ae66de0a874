"""Amounts as people read them, alone and in tables of plain text: `1 passage`, `2,000 passages`, `16.6 GB`."""

from __future__ import annotations

from collections.abc import Sequence

SIZE_UNITS = ("B", "kB", "MB", "GB", "TB")


def counted(count: int, noun: str) -> str:
    """A number with its noun, in the plural where it needs one: `1 passage`, `2,000 passages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def aligned(rows: Sequence[Sequence[str]], *, right: bool = False) -> str:
    """A table of plain text, its columns two spaces apart.

    Args:
        right: align all columns but the first, that of the names, to the right
    """
    first, *widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    adjusted = str.rjust if right else str.ljust
    lines = ("  ".join([name.ljust(first), *map(adjusted, cells, widths)]) for name, *cells in rows)
    return "\n".join(map(str.rstrip, lines))


def readable_size(bytes: int) -> str:
    """A number of bytes in the unit that suits it: `740 B`, `1.2 MB`, `16.6 GB`."""
    size, unit = float(bytes), SIZE_UNITS[0]
    for larger in SIZE_UNITS[1:]:
        if size < 999.95:
            break
        size, unit = size / 1_000, larger
    return f"{size:,.0f} {unit}" if unit == SIZE_UNITS[0] else f"{size:,.1f} {unit}"
