"""Settings of fitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opendpr.choices import DEFAULT_RETRIEVER
from opendpr.errors import InputError, UsageError


class TooFewAnswersError(InputError):
    """There are too few right or wrong answers to fit what tells them apart."""


@dataclass(frozen=True)
class AnsweringSettings:
    """Settings of `opendpr train answering`."""

    k: int = 20
    """Passages read for a question."""
    retrievers: Sequence[str] = (DEFAULT_RETRIEVER,)
    """Retrievers whose confidence is fitted; the decoding weights are fitted for the first."""
    precision: float = 0.6
    """How often an answer is to be right where one is given: decides the threshold."""
    removed_share: float = 0.25
    """Share of the questions asked once more without any passage that holds their answer."""
    answerable_share: float = 2 / 3
    """Share of the questions that count as answerable by what was read: what the confidence takes for usual."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"k must be 1 or more, got {self.k}")
        for name, value in (
            ("precision", self.precision),
            ("removed_share", self.removed_share),
            ("answerable_share", self.answerable_share),
        ):
            if not 0 <= value <= 1:
                raise UsageError(f"{name} must lie in [0, 1], got {value}")
