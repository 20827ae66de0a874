"""How much of a kind of work is done, and how it is reported."""

from __future__ import annotations

from collections.abc import Callable

OnWork = Callable[[str, str, int, int], None]
"""Called with what is being done, its unit, how much is done, and how much there is (0 where that is not known)."""


def amount(done: int, total: int, unit: str) -> str:
    """How much of how much is done: `1,020/2,000 steps`."""
    return f"{done:,}{f'/{total:,}' if total else ''} {unit}"
