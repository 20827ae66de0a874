"""What the service answers about improvements: as `records.py`, one dataclass for each JSON object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class DifferenceRecord:
    """What a model is better by, with the 95 % interval of the difference."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class ImprovementRecord:
    """A model made of judged questions, and what the questions kept apart say of it; that is there once it is done."""

    id: str
    state: Literal["running", "interrupted", "done"]
    """`interrupted`: the service ended, or it failed; started again, it goes on."""
    model: str
    """Directory of the new model."""
    before: str = ""
    """Name or directory of the model that it was compared with."""
    learned: int = 0
    """Questions that were learned from."""
    apart: int = 0
    """Questions kept apart, to judge by."""
    is_better: bool = False
    """Whether the collection should answer with it."""
    verdict: str = ""
    exact_match: DifferenceRecord | None = None
    """The share of questions that are answered exactly rightly, after minus before."""
    confidence_error: DifferenceRecord | None = None
    """The squared error of the confidence, after minus before: below 0 it is closer to the truth."""
    changes: dict[str, str] = field(default_factory=dict)
    """lambda, confidence, encoder and reader -> what became of it."""
    is_applied: bool = False
    """Whether the collection answers with it now."""
    can_apply: bool = False


@dataclass(frozen=True)
class ImprovementsRecord:
    """How many questions are judged, and what the latest improvement came to."""

    judged: int
    needed: int
    """Questions that can be learned from, below which nothing is tried."""
    usable: int
    """Judged questions that can be learned from."""
    learned: int
    """Those of them that would be learned from."""
    apart: int
    """Those that would be kept apart."""
    left_out: dict[str, int]
    """Reason -> how many judged questions teach nothing."""
    missing: str
    """Why no improvement can be started; empty if one can."""
    latest: ImprovementRecord | None
    is_judged_since: bool
    """Whether the judged questions are others than those of the latest improvement."""
    job: str | None
    """Id of the job that is on its way."""
