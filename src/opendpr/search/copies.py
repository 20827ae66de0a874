"""Passages that say the same count once: copies take one place of k, and the hit lists where else the text occurs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from opendpr.protocols import Retriever
from opendpr.text.copies import folded
from opendpr.types import Hit

FURTHER_TIMES = 4
"""Times as many passages are searched for again where copies fill the places."""
DEEPEST_TIMES = 64
"""Times k passages are searched for at most."""


class DistinctRetriever:
    """A `Retriever` whose passages have different texts; each lists the passages that are its copies."""

    def __init__(self, retriever: Retriever) -> None:
        self.retriever = retriever
        """Finds every copy for itself."""

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        return without_copies(lambda repeated, depth: self.retriever.retrieve(repeated, depth, where), questions, k)


def without_copies(
    retrieve: Callable[[Sequence[str], int], list[list[Hit]]], questions: Sequence[str], k: int
) -> list[list[Hit]]:
    """For each question at most k hits whose texts differ, best first; fewer only if no others are found.

    Args:
        retrieve: finds at most that many passages for each question, best first
    """
    grouped = [_grouped(hits) for hits in retrieve(questions, k)]
    depth, short = k, [place for place, hits in enumerate(grouped) if _is_short(hits, k, k)]
    while short and depth < DEEPEST_TIMES * k:
        depth *= FURTHER_TIMES
        for place, hits in zip(short, retrieve([questions[place] for place in short], depth), strict=True):
            grouped[place] = _grouped(hits)
        short = [place for place in short if _is_short(grouped[place], k, depth)]
    return [hits[:k] for hits in grouped]


def _grouped(hits: Sequence[Hit]) -> list[Hit]:
    """The best hit of each text, with the passages of the others."""
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(folded(hit.passage.text), []).append(hit)
    return [replace(best, copies=tuple(hit.passage for hit in others)) for best, *others in groups.values()]


def _is_short(hits: Sequence[Hit], k: int, depth: int) -> bool:
    """Whether copies keep other passages out: all that were asked for were found, and fewer than k differ."""
    return len(hits) < k and sum(1 + len(hit.copies) for hit in hits) == depth
