"""Words: how text is cut into passages, what counts as the same answer, and where in a text an answer occurs."""

from opendpr.text.answers import exact_match, f1, normalize_answer
from opendpr.text.matching import AnswerMatcher, AnswerScan, has_answer, occurs_everywhere, unusable

__all__ = [
    "AnswerMatcher",
    "AnswerScan",
    "exact_match",
    "f1",
    "has_answer",
    "normalize_answer",
    "occurs_everywhere",
    "unusable",
]
