"""Questions that a passage no longer answers: a name or a number in them swapped for another of the passage.

Such a question looks as if the passage answered it, as the questions do that people wrote to mislead readers
(Rajpurkar et al., 2018, "entity swap" and "number swap"); it teaches that similar is not enough.
"""

from __future__ import annotations

import re

import numpy as np

from opendpr.types import Question

NUMBER_PATTERN = re.compile(r"\b\d[\d,.]*\b")
NAME_PATTERN = re.compile(r"(?<=[a-z0-9,'\"] )(?:[A-Z][\w'-]+)(?: [A-Z][\w'-]+)*")
"""Capitalised words that do not begin a sentence."""


def swapped(question: Question, passage: str, generator: np.random.Generator) -> str | None:
    """The question with one name or number replaced by one of the passage that it does not mention; None without."""
    mentioned = " ".join([question.text, *question.answers]).lower()
    choices: list[tuple[tuple[int, int], str]] = []
    for pattern in (NUMBER_PATTERN, NAME_PATTERN):
        others = sorted({match for match in pattern.findall(passage) if match.lower() not in mentioned})
        choices += [(place.span(), other) for place in pattern.finditer(question.text) for other in others]
    if not choices:
        return None
    (start, end), other = choices[int(generator.integers(len(choices)))]
    return question.text[:start] + other + question.text[end:]
