"""Top-k accuracy by gold paragraph or by answer (paper, section 5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.common.data import Record
from opendpr.text import AnswerMatcher
from opendpr.types import Hit

ACCURACY_KS = (1, 5, 20, 100)
Found = NDArray[np.bool_]
"""(Q, k): whether one of the first passages up to this place is right."""


def by_gold(hits: Sequence[Sequence[Hit]], records: Sequence[Record]) -> Found:
    """Whether a passage of the gold paragraph is among the first ones."""
    return first_right(
        [
            [hit.passage.document_id == record["document_id"] for hit in row]
            for row, record in zip(hits, records, strict=True)
        ]
    )


def by_answer(hits: Sequence[Sequence[Hit]], records: Sequence[Record]) -> Found:
    """Whether one of the first passages contains an answer."""
    rows = []
    for row, record in zip(hits, records, strict=True):
        matcher = AnswerMatcher(record["answers"])
        rows.append([matcher(hit.passage.text) for hit in row])
    return first_right(rows)


def first_right(rows: Sequence[Sequence[bool]]) -> Found:
    """(Q, max k) from a row of verdicts for each question, best passage first."""
    right = np.zeros((len(rows), max(ACCURACY_KS)), bool)
    for number, row in enumerate(rows):
        right[number, : len(row)] = row[: max(ACCURACY_KS)]
    return np.logical_or.accumulate(right, axis=1)


def percents(right: Found) -> list[float]:
    """Accuracy in per cent at each of `ACCURACY_KS`."""
    return [100 * float(right[:, k - 1].mean()) for k in ACCURACY_KS]


def joined(values: Sequence[float]) -> str:
    """Figures at each of `ACCURACY_KS` as they are written in tables."""
    return " / ".join(f"{value:.1f}" for value in values)
