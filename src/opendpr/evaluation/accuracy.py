"""Top-k accuracy (paper section 5): how many questions have what they need among their first k passages.

The interval of a mean of these values is computed in `statistics.py`, as that of every measure.
"""

from __future__ import annotations

from collections.abc import Sequence


def first_rank(verdicts: Sequence[bool]) -> int | None:
    """The rank, from 1, of the first passage that is judged good; None if none is."""
    return next((rank for rank, verdict in enumerate(verdicts, start=1) if verdict), None)


def top_k_accuracy(ranks: Sequence[int | None], k: int) -> float:
    """The share of questions whose first good passage is among the first k.

    Args:
        ranks: what `first_rank` says of each question
    """
    if not ranks:
        raise ValueError("there are no questions, so no accuracy")
    return sum(within(rank, k) for rank in ranks) / len(ranks)


def within(rank: int | None, k: int) -> bool:
    """Whether a first rank is among the first k."""
    return rank is not None and rank <= k
