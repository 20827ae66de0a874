"""What fitting reports: how good answers and confidences are on the questions that they were fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AnswerFigures:
    """What a confidence is worth over the best answers to some questions."""

    answers: int
    """Questions for which anything was read; a question asked once more without its passages counts twice."""
    right: int
    """How many of these answers are right."""
    answerable: int
    """How many of these questions a passage that was read answers."""
    confidence: float
    """Mean confidence, in [0, 1]."""
    calibration_error: float
    """Expected calibration error, in [0, 1] (Guo et al., 2017)."""
    auroc_right: float | None
    """How often a right answer is surer than a wrong one; None unless there are both."""
    auroc_answerable: float | None
    """How often the answer to an answerable question is surer than to another one; None unless there are both."""

    def as_json(self) -> dict[str, Any]:
        """The figures under the names that `training.json` has for them."""
        return {
            "answers": self.answers,
            "right": self.right,
            "answerable": self.answerable,
            "confidence": self.confidence,
            "calibration error": self.calibration_error,
            "AUROC right": self.auroc_right,
            "AUROC answerable": self.auroc_answerable,
        }


@dataclass(frozen=True)
class ConfidenceFigures:
    """What the confidence of a retriever's answers is worth, and what its threshold does."""

    all_sets: AnswerFigures
    """Over all questions."""
    answered: float
    """Share of the questions whose confidence reaches the threshold, weighted by the settings' `answerable_share`."""
    precision: float
    """Share of right answers among those, weighted in the same way."""
    sets: Mapping[str, AnswerFigures]
    """By the name of the question file."""

    def as_json(self) -> dict[str, Any]:
        """The figures under the names that `training.json` has for them."""
        return {
            **self.all_sets.as_json(),
            "answered": self.answered,
            "precision": self.precision,
            "sets": {name: figures.as_json() for name, figures in self.sets.items()},
        }


@dataclass(frozen=True)
class DecodingFigures:
    """What fitting the weights of decoding brought."""

    questions: int
    """Questions with a right span and a wrong one: those that the weights were fitted on."""
    exact_match_before: float
    """Exact match of the best answer with the weights at the start, in [0, 1]."""
    exact_match_after: float
    """The same with the fitted weights."""

    def as_json(self) -> dict[str, Any]:
        """The figures under the names that `training.json` has for them."""
        return {
            "questions with a right span": self.questions,
            "exact match": {"before": self.exact_match_before, "after": self.exact_match_after},
        }


@dataclass(frozen=True)
class FittingFigures:
    """All that fitting reports, on the questions it was given."""

    decoding: DecodingFigures | None
    """None where the weights were kept."""
    confidence: Mapping[str, ConfidenceFigures]
    """By retriever."""
    reciprocal_ranks: Mapping[float, float]
    """Mean reciprocal rank of a right passage by lambda; empty where lambda was not fitted."""

    def as_json(self) -> dict[str, Any]:
        """The figures as `training.json` and `opendpr train answering --json` have them."""
        ranks = {f"{weight:g}": round(rank, 4) for weight, rank in self.reciprocal_ranks.items()}
        return {
            **({"reciprocal rank by lambda": ranks} if ranks else {}),
            **(self.decoding.as_json() if self.decoding else {}),
            **{retriever: figures.as_json() for retriever, figures in self.confidence.items()},
        }
