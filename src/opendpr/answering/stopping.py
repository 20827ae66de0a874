"""Reading no more passages than it takes: the best first, the others if those leave the answer in doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opendpr.model.reader import merged
from opendpr.protocols import Reader
from opendpr.types import Hit, Outcome, Span

FIRST_PASSAGES = 6
"""Passages that are read at once."""
ENOUGH_CONFIDENCE = 0.5
"""The others are read unless the best answer in those is more likely right than wrong (docs/decisions/0019)."""

Decode = Callable[[int, Sequence[Span]], Outcome]
"""The outcome of a question, by its place, from the spans that were read."""


def read_enough(
    reader: Reader, questions: Sequence[str], hits: Sequence[Sequence[Hit]], decode: Decode
) -> list[list[Span]]:
    """For each question the best spans of its passages, best first, as a reader gives them for those that were read.

    Args:
        hits: for each question its passages, best first
        decode: with a confidence that is fitted; the reader's own would be too sure of few passages
    """
    spans = reader.read(questions, [passages[:FIRST_PASSAGES] for passages in hits])
    unsure = [
        place for place, own in enumerate(spans) if hits[place][FIRST_PASSAGES:] and not _is_sure(decode(place, own))
    ]
    rest = reader.read([questions[place] for place in unsure], [hits[place][FIRST_PASSAGES:] for place in unsure])
    for place, further in zip(unsure, rest, strict=True):
        spans[place] = merged([*spans[place], *further])
    return spans


def _is_sure(outcome: Outcome) -> bool:
    best = outcome.best
    return best is not None and best.confidence >= ENOUGH_CONFIDENCE
