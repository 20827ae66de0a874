"""Measures as the field computes them: pure functions of strings and numbers."""

from opendpr.evaluation.accuracy import first_rank, top_k_accuracy
from opendpr.evaluation.answers import exact_match, f1, normalize_answer
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, reliability
from opendpr.evaluation.matching import AnswerMatcher, AnswerScan, has_answer
from opendpr.evaluation.statistics import Difference, Interval, bootstrap, compare, randomisation_test

__all__ = [
    "AnswerMatcher",
    "AnswerScan",
    "Difference",
    "Interval",
    "area_under_roc",
    "bootstrap",
    "compare",
    "exact_match",
    "expected_calibration_error",
    "f1",
    "first_rank",
    "has_answer",
    "normalize_answer",
    "randomisation_test",
    "reliability",
    "top_k_accuracy",
]
